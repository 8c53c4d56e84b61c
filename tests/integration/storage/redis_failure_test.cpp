// The client when Redis dies, hangs, restarts, or refuses.

#include "integration/storage/redis_fixture.hpp"

namespace notify::storage_test {
namespace {

using base::Errc;
using redis::Command;

class RedisFailure : public RedisTest {};

TEST_F(RedisFailure, AKilledConnectionIsReplacedAndWhatWasSentIsInDoubt) {
  open();
  ASSERT_TRUE(command(Command("PING")));
  // It kills its own connection: the PING behind it is never answered.
  std::vector<Command> commands{
      std::move(Command("CLIENT").arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("no")),
      Command("PING")};
  const auto lost = run(client->pipeline(std::move(commands), in(5s)));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::timed_out);
  EXPECT_TRUE(command(Command("PING")));
  EXPECT_EQ(client->counters().reconnects, 1U);
}

TEST_F(RedisFailure, AnIdleConnectionThatIsKilledIsReplacedBeforeItIsMissed) {
  open();
  run_until([this] { return client->connected() == 1; });
  redis_server().cli({"CLIENT", "KILL", "TYPE", "normal"});
  run_until([this] { return client->counters().connects == 2; });
  EXPECT_TRUE(command(Command("PING")));
}

TEST_F(RedisFailure, CallsWaitForAServerThatIsDownUntilTheirDeadline) {
  fakes::PrivateRedis server;
  open_at(server.url(), {.backoff_max = 50ms});
  ASSERT_TRUE(command(Command("PING")));
  server.stop();
  run_until([this] { return client->connected() == 0; });
  const auto none = command(Command("PING"), 60ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unavailable);

  RedisOutcome patient;
  async::TaskGroup callers(timers.executor(), no_escape());
  callers.spawn(call(*client, std::vector<Command>{Command("PING")}, in(20s), patient));
  run_until([this] { return client->counters().waiting == 1; });
  server.start();
  run(callers.join());
  EXPECT_TRUE(*patient);
  EXPECT_GT(client->counters().connect_failures, 0U);
}

TEST_F(RedisFailure, FailsAtOnceIfToldTo) {
  fakes::PrivateRedis server;
  open_at(server.url(), {.when_down = redis::WhenDown::fail_at_once});
  run_until([this] { return client->connected() == 1; });
  server.stop();
  run_until([this] { return client->connected() == 0; });
  const auto before = clock.steady_now();
  const auto none = command(Command("PING"), 10s);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unavailable);
  EXPECT_LT(clock.steady_now() - before, 5s);
}

TEST_F(RedisFailure, ADeadlineEndsTheCallAndSparesTheConnection) {
  open();
  ASSERT_TRUE(command(Command("PING")));
  const auto slow = command(std::move(Command("DEBUG").arg("SLEEP").arg("0.2")), 30ms);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Errc::timed_out);
  EXPECT_EQ(text(std::move(Command("ECHO").arg("mine"))), "mine")
      << "behind the late answer, which is read and dropped";
  EXPECT_EQ(client->counters().reconnects, 0U);
}

TEST_F(RedisFailure, AServerThatHangsIsGivenUpAfterTheLimit) {
  fakes::PrivateRedis server;
  open_at(server.url(), {.connect_timeout = 100ms, .response_limit = 100ms, .ping_interval = 20ms});
  ASSERT_TRUE(command(Command("PING")));
  server.freeze();
  // Nobody calls: it is the PING of the idle connection that finds out.
  run_until([this] { return client->counters().reconnects == 1; });
  const auto none = command(Command("PING"), 50ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unavailable);
  server.thaw();
  EXPECT_TRUE(command(Command("PING")));
}

TEST_F(RedisFailure, AServerOutOfMemoryIsOverloaded) {
  fakes::PrivateRedis server({.extra = {"--maxmemory", "1mb", "--maxmemory-policy", "noeviction"}});
  open_at(server.url(), {});
  const std::string large(std::size_t{2} << 20, 'x');
  (void)command(std::move(Command("SET").key("a").arg(large)));
  const auto full = command(std::move(Command("SET").key("b").arg(large)));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::overloaded);
}

TEST_F(RedisFailure, AReplyOverTheLimitEndsTheConnectionNotTheProcess) {
  open({.reply = {.bytes_max = 1024}});
  ASSERT_TRUE(command(std::move(Command("SET").key("large").arg(std::string(4096, 'x')))));
  const auto reply = command(std::move(Command("GET").key("large")), 2s);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::timed_out);
  EXPECT_TRUE(command(Command("PING")));
}

TEST_F(RedisFailure, AReplicaIsLeft) {
  fakes::PrivateRedis server;
  open_at(server.url(), {});
  ASSERT_TRUE(command(Command("PING")));
  server.cli({"REPLICAOF", "127.0.0.1", "1"});
  const auto refused = command(std::move(Command("SET").key("k").arg("v")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  run_until([this] { return client->counters().reconnects == 1; });
}

TEST_F(RedisFailure, ACancelledCallerLeavesTheConnectionInOrder) {
  open();
  ASSERT_TRUE(command(Command("PING")));
  RedisOutcome sent;
  async::TaskGroup callers(timers.executor(), no_escape());
  std::vector<Command> slow{std::move(Command("DEBUG").arg("SLEEP").arg("0.1"))};
  callers.spawn(call(*client, std::move(slow), in(5s), sent));
  run_until([this] { return client->counters().in_flight == 1; });
  run(callers.stop());
  EXPECT_FALSE(sent);
  EXPECT_EQ(text(std::move(Command("ECHO").arg("mine"))), "mine");
  EXPECT_EQ(client->counters().reconnects, 0U);
}

}  // namespace
}  // namespace notify::storage_test
