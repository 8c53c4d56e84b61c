#pragma once
// What a run has counted, as one JSON object.

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.hpp"
#include "notification/notification.pb.h"
#include "push-simulator/latency_histogram.hpp"

namespace notify::bench {

/// Threading: one thread.
class Tally {
 public:
  explicit Tally(base::SteadyTime begin) : begin_(begin), last_answer_(begin) {}

  void sent(std::uint64_t notifications) { sent_ += notifications; }
  /// How much later than intended a call was started.
  void late(base::SteadyTime intended, base::SteadyTime started) {
    lateness_.add(std::chrono::duration_cast<std::chrono::microseconds>(started - intended));
  }
  void accepted(base::SteadyTime intended, base::SteadyTime answered);
  /// `code`: of gRPC.
  void refused(int code, std::uint64_t notifications = 1);
  void count(const notification::SendNotificationResult& result, base::SteadyTime intended,
             base::SteadyTime answered);
  /// An answer to what was answered already, or never asked.
  void unexpected() { ++unexpected_; }

  [[nodiscard]] std::string to_json() const;

 private:
  base::SteadyTime begin_;
  base::SteadyTime last_answer_;
  std::uint64_t sent_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t unexpected_ = 0;
  std::map<int, std::uint64_t> refused_;
  simulator::LatencyHistogram latency_;
  simulator::LatencyHistogram lateness_;
};

}  // namespace notify::bench
