#pragma once
// One loop with its clock for a test, and servers shared by all tests of the program: started by
// the first that asks, stopped at the end of the run.

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "fakes/private_servers.hpp"
#include "fakes/run.hpp"

namespace notify::storage_test {

using namespace std::chrono_literals;

[[nodiscard]] fakes::PrivatePostgres& postgres();
[[nodiscard]] fakes::PrivateRedis& redis_server();

/// Polls until `holds`, for at most ten seconds.
async::Task<void> until(async::Timers& timers, std::function<bool()> holds);

class LoopTest : public ::testing::Test {
 protected:
  LoopTest() : timers(io.get_executor(), clock), rng(7) {}

  [[nodiscard]] async::OnEscape no_escape() {
    return [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; };
  }
  [[nodiscard]] base::Deadline in(std::chrono::milliseconds delay) const {
    return timers.after(delay);
  }
  template <class T>
  T run(async::Task<T> task) {
    return fakes::run(io, std::move(task));
  }
  void run_until(std::function<bool()> holds) {
    fakes::run(io, until(timers, holds));
    EXPECT_TRUE(holds());
  }

  boost::asio::io_context io;
  base::SystemClock clock;
  async::Timers timers;
  base::SeededRng rng;
};

}  // namespace notify::storage_test
