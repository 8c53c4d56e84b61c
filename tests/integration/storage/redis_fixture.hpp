#pragma once
// A client on the shared Redis.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "integration/storage/fixture.hpp"
#include "storage/redis/client.hpp"

namespace notify::storage_test {

class RedisTest : public LoopTest {
 protected:
  void open(redis::ClientOptions options = {}) {
    open_at(redis_server().url(), std::move(options));
  }
  void open_at(const std::string& url, redis::ClientOptions options) {
    options.on_event = [this](std::string_view what) { events.emplace_back(what); };
    auto parsed = redis::parse_url(base::Secret(url));
    ASSERT_TRUE(parsed);
    auto made =
        redis::Client::create(timers, rng, std::move(*parsed), std::move(options), no_escape());
    ASSERT_TRUE(made) << made.error().detail;
    client = std::move(*made);
    client->start();
  }
  void TearDown() override {
    if (client) run(client->stop(in(1s)));
  }

  [[nodiscard]] base::Expected<redis::Reply> command(redis::Command command,
                                                     std::chrono::milliseconds limit = 10s) {
    return run(client->command(std::move(command), in(limit)));
  }
  /// The text of a reply, or the error that came instead.
  [[nodiscard]] std::string text(redis::Command c) {
    auto reply = command(std::move(c));
    if (!reply) return "error: " + reply.error().detail;
    return std::string(reply->as_text().value_or("not a text"));
  }

  std::unique_ptr<redis::Client> client;
  std::vector<std::string> events;
};

using RedisOutcome = std::optional<base::Expected<std::vector<redis::Reply>>>;

/// One call whose outcome is looked at later.
inline async::Task<void> call(redis::Client& client, std::vector<redis::Command> commands,
                              base::Deadline deadline, RedisOutcome& outcome) {
  outcome.emplace(co_await client.pipeline(std::move(commands), deadline));
}

}  // namespace notify::storage_test
