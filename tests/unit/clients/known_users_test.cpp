#include "clients/known_users.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_time.hpp"
#include "fakes/fake_user_directory.hpp"
#include "fakes/samples.hpp"

namespace notify::clients {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using fakes::sample_user;

struct KnownUsersTest : testing::Test {
  fakes::ManualClock clock;
  fakes::FakeTime time{clock};
  fakes::FakeLoop loop{clock};
  fakes::FakeLink link{loop.timers};
  base::SeededRng rng{1};
  fakes::FakeUsers users;
  fakes::FakeUserDirectory directory{users, link};
  std::vector<StandingFrom> from;
  std::size_t failures = 0;
  std::optional<KnownUsers> known;
  async::TaskGroup group{loop.timers.executor(), {}};

  static constexpr UserStanding kKnown{.is_known = true};
  static constexpr UserStanding kUnknown{.is_known = false};
  static constexpr UserStanding kAssumedKnown{.is_known = true, .is_assumed = true};
  static constexpr UserStanding kAssumedUnknown{.is_known = false, .is_assumed = true};

  KnownUsersTest() {
    time.add(loop);
    make({});
  }
  ~KnownUsersTest() override {
    stop();
    time.remove(loop);
  }
  void stop() {
    group.spawn(known->stop());
    time.run_until([this] { return group.size() == 0; });
  }
  void make(KnownUsersOptions options) {
    if (known) stop();
    options.on_answer = [this](StandingFrom answered) { from.push_back(answered); };
    options.on_failure = [this](const base::Error&) { ++failures; };
    known.emplace(directory, loop.timers, rng, options,
                  [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; });
  }
  std::vector<UserStanding> ask(std::vector<base::UserId> whom) {
    std::optional<std::vector<UserStanding>> answer;
    group.spawn(async::store_result(known->find_all(std::move(whom)), answer));
    time.run_until([&] { return answer.has_value(); });
    return *answer;
  }
  UserStanding ask(int user = 1) { return ask(std::vector{sample_user(user)}).front(); }
};

TEST_F(KnownUsersTest, IsAskedOnceAndRemembered) {
  users.unknown = {sample_user(2)};
  EXPECT_FALSE(known->peek(sample_user(1)));
  EXPECT_EQ(ask(1), kKnown);
  EXPECT_EQ(ask(2), kUnknown);
  EXPECT_EQ(known->peek(sample_user(1)), kKnown);
  EXPECT_EQ(known->peek(sample_user(2)), kUnknown);
  EXPECT_EQ(users.asked.size(), 2u);
}

TEST_F(KnownUsersTest, WhoIsUnknownIsForgottenSooner) {
  users.unknown = {sample_user(2)};
  ask({sample_user(1), sample_user(2)});
  time.run_for(31s);
  EXPECT_TRUE(known->peek(sample_user(1)));
  EXPECT_FALSE(known->peek(sample_user(2)));
  users.unknown.clear();
  EXPECT_EQ(ask(2), kKnown);
  time.run_for(10min);
  EXPECT_FALSE(known->peek(sample_user(1)));
}

TEST_F(KnownUsersTest, ABatchAsksAtOnceForEachUserOnce) {
  std::vector<base::UserId> batch;
  for (int i = 0; i < 30; ++i) batch.push_back(sample_user(i % 10 + 1));
  users.unknown = {sample_user(3)};
  const auto started = clock.now();
  const auto answers = ask(batch);
  EXPECT_LE(clock.now() - started, 10ms) << "one after the other would take twice as long";
  EXPECT_EQ(users.asked.size(), 10u);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(answers[i], i % 10 == 2 ? kUnknown : kKnown) << i;
  }
}

TEST_F(KnownUsersTest, NoMoreQuestionsAreUnderWayThanTheirBound) {
  make({.questions_max = 2});
  std::vector<base::UserId> batch;
  for (int i = 1; i <= 10; ++i) batch.push_back(sample_user(i));
  std::optional<std::vector<UserStanding>> answer;
  group.spawn(async::store_result(known->find_all(batch), answer));
  time.run_for(1ms);
  EXPECT_EQ(users.asked.size(), 2u);
  time.run_until([&] { return answer.has_value(); });
  EXPECT_EQ(users.asked.size(), 10u);
}

TEST_F(KnownUsersTest, AFailureIsTriedAgain) {
  directory.fault.fail(Errc::unavailable, 2);
  users.unknown = {sample_user(1)};
  EXPECT_EQ(ask(), kUnknown);
  EXPECT_EQ(users.asked.size(), 3u);
  EXPECT_EQ(failures, 2u);
}

TEST_F(KnownUsersTest, WithoutAnAnswerWhoWasKnownIsKnownAndOthersAreByThePolicy) {
  ask({sample_user(1)});
  users.unknown = {sample_user(2)};
  ask({sample_user(2)});
  time.run_for(20min);
  directory.fault.fail(Errc::unavailable);
  EXPECT_EQ(ask(1), kKnown);
  EXPECT_EQ(from.back(), StandingFrom::stale_memory);
  EXPECT_EQ(ask(2), kAssumedKnown) << "who may have registered meanwhile";
  EXPECT_EQ(ask(3), kAssumedKnown);
  EXPECT_EQ(from.back(), StandingFrom::policy);
  EXPECT_FALSE(known->peek(sample_user(3))) << "it is asked about when it is back";
  make({.known_when_down = false});
  EXPECT_EQ(ask(3), kAssumedUnknown);
}

TEST_F(KnownUsersTest, AServiceThatFailsIsLeftAloneAndTriedAgainLater) {
  directory.fault.fail(Errc::unavailable);
  ask(1);
  ask(2);
  EXPECT_TRUE(known->is_down());
  const std::size_t asked = users.asked.size();
  EXPECT_EQ(asked, 5u);
  const auto started = clock.now();
  EXPECT_EQ(ask(3), kAssumedKnown);
  EXPECT_EQ(clock.now(), started) << "nobody waits";
  EXPECT_EQ(users.asked.size(), asked);
  time.run_for(2s);
  ask({sample_user(4), sample_user(5), sample_user(6)});
  EXPECT_EQ(users.asked.size(), asked + 1) << "one question tells";
  directory.fault.clear();
  time.run_for(2s);
  EXPECT_EQ(ask(7), kKnown);
  EXPECT_FALSE(known->is_down());
}

TEST_F(KnownUsersTest, ItHoldsNoMoreUsersThanItsBound) {
  make({.users_max = 10});
  for (int user = 1; user <= 50; ++user) {
    ask(user);
    EXPECT_LE(known->size(), 10u);
  }
  EXPECT_TRUE(known->peek(sample_user(50)));
  EXPECT_FALSE(known->peek(sample_user(1)));
}

}  // namespace
}  // namespace notify::clients
