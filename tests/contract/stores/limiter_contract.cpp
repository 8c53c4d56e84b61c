#include <map>

#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

using stores::LimitClaim;
using stores::LimitReturn;
using stores::LimitTaken;

rules::LimitCounter counter(const std::string& name, std::int64_t allowed,
                            std::chrono::milliseconds window = 1min) {
  return {name, allowed, window, 0};
}

class LimiterContract : public testing::TestWithParam<MakeLimiterWorld> {
 protected:
  std::vector<LimitTaken> take(stores::Limiter& limiter, std::vector<LimitClaim> claims) {
    std::vector<LimitTaken> all;
    for (auto& taken : world->run(limiter.take(std::move(claims)))) {
      EXPECT_TRUE(taken) << (taken ? "" : taken.error().detail);
      all.push_back(taken.value_or(LimitTaken()));
    }
    return all;
  }
  LimitTaken take_one(const LimitClaim& claim) { return take(world->first(), {claim}).front(); }
  void give_back(LimitReturn what) {
    const auto done = world->run(world->second().give_back({std::move(what)}));
    ASSERT_TRUE(done) << done.error().detail;
  }
  /// How many of so many operations are let through.
  std::size_t passing(const LimitClaim& claim, std::size_t operations) {
    std::size_t passed = 0;
    for (const auto& taken : take(world->first(), std::vector(operations, claim))) {
      if (!taken.reached) ++passed;
    }
    return passed;
  }

  std::unique_ptr<LimiterWorld> world = GetParam()();
};

TEST_P(LimiterContract, AsManyAsAreAllowedPassAndTheNextIsToldWhenToComeBack) {
  const LimitClaim claim{counter("user.1m:a", 3)};
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(take_one(claim).reached) << i;
  world->pass(20ms);
  const LimitTaken over = take_one(claim);
  EXPECT_EQ(over.reached, 0u);
  EXPECT_EQ(over.counted, 3);
  EXPECT_GT(over.resets_in, 50s);
  EXPECT_LE(over.resets_in, 1min - 20ms);
}

TEST_P(LimiterContract, WhatIsRefusedIsNotCounted) {
  const LimitClaim narrow{counter("user.1m:a", 1)};
  EXPECT_EQ(passing(narrow, 5), 1u);
  EXPECT_EQ(take_one(narrow).counted, 1);
}

TEST_P(LimiterContract, AnOperationCountsUnderAllOfItsCountersOrUnderNone) {
  const LimitClaim both{counter("user.1m:a", 10), counter("conversation.1h:c", 2)};
  EXPECT_EQ(passing(both, 5), 2u);
  EXPECT_EQ(take_one(both).reached, 1u);
  EXPECT_EQ(passing({counter("user.1m:a", 10)}, 20), 8u);
}

TEST_P(LimiterContract, OfSeveralThatAreReachedTheOneIsToldThatLastsLongest) {
  const LimitClaim all{counter("user.1m:a", 1, 1min), counter("user.1d:a", 1, 24h),
                       counter("user.1h:a", 1, 1h)};
  EXPECT_FALSE(take_one(all).reached);
  const LimitTaken over = take_one(all);
  EXPECT_EQ(over.reached, 1u);
  EXPECT_GT(over.resets_in, 23h);
}

TEST_P(LimiterContract, SubjectsDoNotShareACounter) {
  const auto taken =
      take(world->first(),
           {{counter("user.1m:a", 1)}, {counter("user.1m:b", 1)}, {counter("user.1m:a", 1)}});
  EXPECT_FALSE(taken[0].reached);
  EXPECT_FALSE(taken[1].reached);
  EXPECT_TRUE(taken[2].reached);
}

TEST_P(LimiterContract, AWindowEndsByItselfAndTheNextBeginsWithWhatComesThen) {
  const LimitClaim claim{counter("user.1m:a", 1, 80ms)};
  EXPECT_FALSE(take_one(claim).reached);
  EXPECT_TRUE(take_one(claim).reached);
  world->pass(100ms);
  EXPECT_FALSE(take_one(claim).reached);
  const LimitTaken over = take_one(claim);
  EXPECT_TRUE(over.reached);
  EXPECT_LE(over.resets_in, 80ms);
}

TEST_P(LimiterContract, NodesCountTogetherAndNeverExceedALimitHoweverManyAskAtOnce) {
  std::vector<async::Task<std::vector<base::Expected<LimitTaken>>>> tasks;
  const LimitClaim mine{counter("user.1m:a", 40), counter("user.1h:a", 600, 1h)};
  const LimitClaim other{counter("user.1m:b", 15)};
  for (int i = 0; i < 30; ++i) {
    auto& limiter = i % 2 == 0 ? world->first() : world->second();
    tasks.push_back(limiter.take({mine, other, mine}));
  }
  std::map<std::size_t, std::size_t> passed;
  for (const auto& answers : world->run_all(std::move(tasks))) {
    ASSERT_EQ(answers.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_TRUE(answers[i]);
      if (!answers[i]->reached) ++passed[i % 2];
    }
  }
  EXPECT_EQ(passed[0], 40u);
  EXPECT_EQ(passed[1], 15u);
}

TEST_P(LimiterContract, MoreThanOneScriptHoldsIsStillInOrder) {
  std::vector<LimitClaim> claims;
  for (int i = 0; i < 700; ++i) claims.push_back({counter("user.1m:" + std::to_string(i), 1)});
  claims.push_back({counter("user.1m:699", 1)});
  const auto taken = take(world->first(), std::move(claims));
  ASSERT_EQ(taken.size(), 701u);
  for (std::size_t i = 0; i < 700; ++i) EXPECT_FALSE(taken[i].reached) << i;
  EXPECT_TRUE(taken[700].reached);
}

TEST_P(LimiterContract, WhatIsGivenBackCanBeTakenAgain) {
  const LimitClaim claim{counter("user.1m:a", 2), counter("user.1h:a", 2, 1h)};
  const LimitTaken first = take_one(claim);
  EXPECT_FALSE(take_one(claim).reached);
  give_back({claim, first.counted_at});
  EXPECT_EQ(passing(claim, 3), 1u);
}

TEST_P(LimiterContract, WhatIsGivenBackAfterItsWindowHasEndedIsNotTakenOffTheNext) {
  const LimitClaim claim{counter("user.1m:a", 1, 80ms)};
  const LimitTaken first = take_one(claim);
  world->pass(100ms);
  give_back({claim, first.counted_at});
  EXPECT_FALSE(take_one(claim).reached);
  give_back({claim, first.counted_at});
  EXPECT_TRUE(take_one(claim).reached);
}

TEST_P(LimiterContract, WhoLooksIsToldHowCountersStandAndCountsNothing) {
  const LimitClaim claim{counter("user.1m:a", 3), counter("user.1h:a", 9, 1h)};
  EXPECT_FALSE(take_one({claim[0]}).reached);
  EXPECT_FALSE(take_one({claim[0]}).reached);
  world->pass(20ms);
  for (int i = 0; i < 2; ++i) {
    const auto standings = world->run(world->second().look(claim));
    ASSERT_TRUE(standings);
    ASSERT_EQ(standings->size(), 2u);
    EXPECT_EQ(standings->at(0).counted, 2);
    EXPECT_LE(standings->at(0).resets_in, 1min - 20ms);
    EXPECT_GT(standings->at(0).resets_in, 50s);
    EXPECT_EQ(standings->at(1).counted, 0);
    EXPECT_EQ(standings->at(1).resets_in, 1h);
  }
}

TEST_P(LimiterContract, GivingBackNothingIsNothing) {
  EXPECT_TRUE(world->run(world->first().give_back({})));
}

INSTANTIATE_TEST_SUITE_P(World, LimiterContract, testing::ValuesIn(limiter_worlds()));

}  // namespace
}  // namespace notify::contract
