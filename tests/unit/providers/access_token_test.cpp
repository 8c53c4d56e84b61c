#include "providers/fcm/access_token.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_time.hpp"

namespace notify::providers {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::Expected;

/// A token server that takes 100 ms to answer, with a new token each time.
class FakeGrants final : public AccessGrants {
 public:
  explicit FakeGrants(async::Timers& timers) : timers_(timers) {}

  async::Task<Expected<AccessGrant>> fetch(base::Deadline deadline) override {
    const int number = ++fetches;
    co_await timers_.sleep_until(is_hanging ? deadline : timers_.after(100ms));
    if (is_hanging) co_return base::fail(Errc::timed_out, "it hangs");
    if (refuses) co_return base::fail(Errc::unauthenticated, "it refuses");
    co_return AccessGrant{base::Secret(std::to_string(number)), expires_in};
  }
  async::Task<void> stop(base::Deadline) override { co_return; }

  std::chrono::seconds expires_in{3600};
  bool refuses = false;
  bool is_hanging = false;
  int fetches = 0;

 private:
  async::Timers& timers_;
};

struct AccessTokenTest : testing::Test {
  fakes::ManualClock clock;
  fakes::FakeTime time{clock};
  fakes::FakeLoop loop{clock};
  FakeGrants grants{loop.timers};
  AccessToken token{grants, loop.timers, {}, {}};
  async::TaskGroup group{loop.timers.executor(), {}};

  AccessTokenTest() { time.add(loop); }
  ~AccessTokenTest() override {
    group.spawn(token.stop());
    time.run_until([this] { return group.size() == 0; });
    time.remove(loop);
  }

  static async::Task<void> ask(AccessToken& token, base::Deadline deadline,
                               std::vector<std::string>& answers) {
    const auto got = co_await token.wait(deadline);
    answers.emplace_back(got ? got->reveal() : base::name(got.error().code));
  }
  std::string ask(std::chrono::milliseconds patience = 10s) {
    std::vector<std::string> answers;
    group.spawn(ask(token, loop.timers.after(patience), answers));
    time.run_until([&] { return !answers.empty(); });
    return answers.empty() ? "nothing" : answers.front();
  }
};

TEST_F(AccessTokenTest, AllWhoWaitShareOneFetch) {
  std::vector<std::string> answers;
  for (int i = 0; i < 5; ++i) group.spawn(ask(token, loop.timers.after(10s), answers));
  time.run_until([&] { return answers.size() == 5; });
  EXPECT_EQ(answers, std::vector<std::string>(5, "Bearer 1"));
  EXPECT_EQ(grants.fetches, 1);
  ASSERT_NE(token.ready(), nullptr);
  EXPECT_EQ(token.ready()->reveal(), "Bearer 1");
}

TEST_F(AccessTokenTest, IsRenewedFiveMinutesEarlyWhileTheOldOneServes) {
  EXPECT_EQ(ask(), "Bearer 1");
  clock.advance(54min);
  EXPECT_EQ(ask(), "Bearer 1");
  EXPECT_EQ(grants.fetches, 1);
  clock.advance(2min);
  EXPECT_EQ(token.ready()->reveal(), "Bearer 1");
  time.run_for(1s);
  EXPECT_EQ(grants.fetches, 2);
  EXPECT_EQ(token.ready()->reveal(), "Bearer 2");
}

TEST_F(AccessTokenTest, ATokenWithAShortLifeIsNotFetchedInALoop) {
  grants.expires_in = 240s;
  EXPECT_EQ(ask(), "Bearer 1");
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(token.ready(), nullptr);
    time.run_for(1s);
  }
  EXPECT_EQ(grants.fetches, 1);
  time.run_for(30s);
  (void)token.ready();
  time.run_for(1s);
  EXPECT_EQ(grants.fetches, 2);
}

TEST_F(AccessTokenTest, WhenItCannotBeRenewedItServesToItsEndAndThenTheReasonIsTold) {
  EXPECT_EQ(ask(), "Bearer 1");
  grants.refuses = true;
  clock.advance(56min);
  EXPECT_EQ(ask(), "Bearer 1");
  time.run_for(1s);
  EXPECT_EQ(ask(), "Bearer 1");
  clock.advance(5min);
  EXPECT_EQ(ask(), "unauthenticated");
  const int fetches = grants.fetches;
  EXPECT_EQ(ask(), "unauthenticated");
  EXPECT_EQ(grants.fetches, fetches) << "not before the interval";
  grants.refuses = false;
  clock.advance(5s);
  EXPECT_EQ(ask().substr(0, 7), "Bearer ");
}

TEST_F(AccessTokenTest, ManyRefusalsOfOneTokenCauseOneFetch) {
  EXPECT_EQ(ask(), "Bearer 1");
  const base::Secret old = *token.ready();
  for (int i = 0; i < 5; ++i) token.refused(old);
  std::vector<std::string> answers;
  for (int i = 0; i < 5; ++i) group.spawn(ask(token, loop.timers.after(10s), answers));
  time.run_until([&] { return answers.size() == 5; });
  EXPECT_EQ(answers, std::vector<std::string>(5, "Bearer 2"));
  token.refused(old);
  EXPECT_EQ(ask(), "Bearer 2");
  EXPECT_EQ(grants.fetches, 2);
}

TEST_F(AccessTokenTest, ARefusalThatANewTokenDoesNotHelpCausesNoStorm) {
  EXPECT_EQ(ask(), "Bearer 1");
  for (int i = 0; i < 50; ++i) {
    token.refused(base::Secret(std::string(token.ready()->reveal())));
    (void)ask();
    time.run_for(100ms);
  }
  EXPECT_LE(grants.fetches, 3);
}

TEST_F(AccessTokenTest, PatienceEndsAtTheDeadline) {
  grants.is_hanging = true;
  EXPECT_EQ(ask(200ms), "timed_out");
  EXPECT_EQ(grants.fetches, 1);
}

TEST(AccessGrant, ReadsTheTokenServersAnswers) {
  const auto good = parse_access_grant(
      200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->token.reveal(), "ya29.x");
  EXPECT_EQ(good->expires_in, 3599s);
  EXPECT_EQ(parse_access_grant(200, R"({"access_token":"x","expires_in":99999999})")->expires_in,
            24h);
  for (const char* bad :
       {"", "{}", R"({"access_token":"x"})", R"({"access_token":"","expires_in":9})",
        R"({"access_token":"a\r\nb","expires_in":9})", R"({"access_token":"x","expires_in":0})"}) {
    EXPECT_EQ(parse_access_grant(200, bad).error().code, Errc::corrupt) << bad;
  }
  const auto refused = parse_access_grant(
      400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
  EXPECT_EQ(refused.error().code, Errc::unauthenticated);
  EXPECT_NE(refused.error().detail.find("400 invalid_grant"), std::string::npos);
  EXPECT_EQ(refused.error().detail.find("Signature"), std::string::npos);
  EXPECT_EQ(parse_access_grant(503, "busy").error().code, Errc::unavailable);
  EXPECT_EQ(parse_access_grant(429, "").error().code, Errc::unavailable);
}

}  // namespace
}  // namespace notify::providers
