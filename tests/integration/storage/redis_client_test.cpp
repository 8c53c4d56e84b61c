// The client when all is well, over every transport.

#include "integration/storage/redis_fixture.hpp"

namespace notify::storage_test {
namespace {

using base::Errc;
using redis::Command;
using redis::Script;

class RedisClient : public RedisTest {
 protected:
  void SetUp() override { redis_server().cli({"FLUSHALL"}); }

  void expect_it_works() {
    EXPECT_EQ(text(std::move(Command("SET").key("k").arg("v"))), "OK");
    EXPECT_EQ(text(std::move(Command("GET").key("k"))), "v");
  }
};

TEST_F(RedisClient, WorksOverAUnixSocket) {
  open();
  expect_it_works();
  EXPECT_EQ(text(std::move(Command("CLIENT").arg("GETNAME"))), "notification-service");
}

TEST_F(RedisClient, WorksOverTcp) {
  open_at(redis_server().tcp_url(), {});
  expect_it_works();
}

TEST_F(RedisClient, WorksOverTls) {
  open_at(redis_server().tls_url(), {.ca_file = redis_server().ca_file()});
  expect_it_works();
  const std::string large(std::size_t{5} << 20, 'x');
  EXPECT_EQ(text(std::move(Command("SET").key("large").arg(large))), "OK");
  EXPECT_EQ(text(std::move(Command("GET").key("large"))), large);
}

TEST_F(RedisClient, DoesNotTrustACertificateOfAnotherAuthority) {
  open_at(redis_server().tls_url(), {});
  const auto reply = command(Command("PING"), 300ms);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::unavailable);
  EXPECT_EQ(client->counters().connects, 0U);
}

TEST_F(RedisClient, SelectsItsDatabase) {
  open_at(redis_server().url() + "?db=3", {});
  EXPECT_EQ(text(std::move(Command("SET").key("there").arg("3"))), "OK");
  EXPECT_EQ(redis_server().cli({"-n", "3", "GET", "there"}), "3");
}

TEST_F(RedisClient, KeepsBytesAsTheyAre) {
  open();
  const std::string bytes("\0\r\n\xFF$5\r\n", 9);
  EXPECT_EQ(text(std::move(Command("SET").key(bytes).arg(bytes))), "OK");
  EXPECT_EQ(text(std::move(Command("GET").key(bytes))), bytes);
}

TEST_F(RedisClient, ABigPipelineComesBackInOrder) {
  open();
  std::vector<Command> commands;
  for (std::int64_t i = 0; i < 10'000; ++i) {
    commands.push_back(std::move(Command("ECHO").arg(i)));
  }
  const auto replies = run(client->pipeline(std::move(commands), in(20s)));
  ASSERT_TRUE(replies) << replies.error().detail;
  ASSERT_EQ(replies->size(), 10'000U);
  for (std::size_t i = 0; i < replies->size(); ++i) {
    ASSERT_EQ(*(*replies)[i].as_text(), std::to_string(i));
  }
}

TEST_F(RedisClient, CallersOfOneTurnShareTheirWrites) {
  open();
  expect_it_works();
  const auto before = client->counters();
  std::vector<RedisOutcome> outcomes(500);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::vector<Command> one{std::move(Command("ECHO").arg(static_cast<std::int64_t>(i)))};
    callers.spawn(call(*client, std::move(one), in(10s), outcomes[i]));
  }
  run(callers.join());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_TRUE(*outcomes[i]);
    EXPECT_EQ(*(**outcomes[i])[0].as_text(), std::to_string(i));
  }
  EXPECT_LE(client->counters().writes - before.writes, 5U);
}

TEST_F(RedisClient, ErrorRepliesFailACommandAndStandInAPipeline) {
  open();
  ASSERT_TRUE(command(std::move(Command("SET").key("k").arg("not a list"))));
  const auto refused = command(std::move(Command("LPOP").key("k")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::corrupt);

  std::vector<Command> commands{std::move(Command("LPOP").key("k")), Command("PING")};
  const auto replies = run(client->pipeline(std::move(commands), in(5s)));
  ASSERT_TRUE(replies);
  EXPECT_EQ((*replies)[0].error_prefix(), "WRONGTYPE");
  EXPECT_EQ(*(*replies)[1].as_text(), "PONG");

  const auto unknown = command(std::move(Command("NOSUCH").arg("the-secret-token")));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().detail.find("secret"), std::string::npos) << unknown.error().detail;
}

TEST_F(RedisClient, AScriptIsTaughtOnceAndAgainAfterAFlush) {
  open();
  const Script script("return {KEYS[1], ARGV[1], #ARGV}");
  const auto run_it = [&] { return run(client->run(script, {"{q}:k"}, {"a", "b"}, in(5s))); };
  for (int i = 0; i < 3; ++i) {
    const auto reply = run_it();
    ASSERT_TRUE(reply) << reply.error().detail;
    ASSERT_EQ(reply->elements().size(), 3U);
    EXPECT_EQ(*reply->elements()[1].as_text(), "a");
    EXPECT_EQ(*reply->elements()[2].as_integer(), 2);
  }
  EXPECT_EQ(client->counters().script_fallbacks, 1U) << "our SHA-1 is the server's";
  redis_server().cli({"SCRIPT", "FLUSH"});
  EXPECT_TRUE(run_it());
  EXPECT_TRUE(run_it());
  EXPECT_EQ(client->counters().script_fallbacks, 2U);
}

TEST_F(RedisClient, RefusesMoreThanItsBoundOfWaitingCalls) {
  open({.waiting_max = 3});
  std::vector<RedisOutcome> outcomes(8);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (RedisOutcome& outcome : outcomes) {
    callers.spawn(call(*client, std::vector<Command>{Command("PING")}, in(5s), outcome));
  }
  run(callers.join());
  int overloaded = 0;
  for (const RedisOutcome& outcome : outcomes) {
    if (!*outcome && outcome->error().code == Errc::overloaded) ++overloaded;
  }
  EXPECT_EQ(overloaded, 5) << "not yet connected: three wait, the others are refused";
}

TEST_F(RedisClient, ARefusedPasswordIsReportedWithoutIt) {
  fakes::PrivateRedis locked({.password = "opensesame"});
  open_at(locked.url(), {});
  expect_it_works();
  run(client->stop(in(1s)));

  open_at("unix://:hunter2@" + locked.socket(), {});
  EXPECT_FALSE(command(Command("PING"), 100ms));
  bool told = false;
  for (const std::string& event : events) {
    EXPECT_EQ(event.find("hunter2"), std::string::npos) << event;
    told = told || event.find("WRONGPASS") != std::string::npos;
  }
  EXPECT_TRUE(told);
}

TEST_F(RedisClient, StopAnswersWhatWasAcceptedAndRefusesTheRest) {
  open();
  std::vector<RedisOutcome> outcomes(10);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (RedisOutcome& outcome : outcomes) {
    callers.spawn(call(*client, std::vector<Command>{Command("PING")}, in(5s), outcome));
  }
  run_until([this] { return client->connected() == 1; });
  run(client->stop(in(5s)));
  run(callers.join());
  for (const RedisOutcome& outcome : outcomes) EXPECT_TRUE(*outcome);
  const auto late = command(Command("PING"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace notify::storage_test
