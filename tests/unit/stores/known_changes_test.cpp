#include "stores/known_changes.hpp"

#include <gtest/gtest.h>

#include "fakes/samples.hpp"

namespace notify::stores {
namespace {

using namespace std::chrono_literals;
using fakes::sample_user;

const base::WallTime kNow{std::chrono::hours(1'000'000)};
const base::Uuid kAlice = sample_user(1).uuid();
const base::Uuid kBob = sample_user(2).uuid();

struct KnownChangesTest : testing::Test {
  KnownChanges known{{.commit_max = 15s, .span = 1h, .ahead_max = 12s, .users_max = 10}};
  base::WallTime now = kNow;
  base::WallTime since = known.first_since(kNow);

  /// A look that finds these; `complete_since`: that there were more.
  void look(std::vector<SettingsChange> changes = {},
            std::optional<base::WallTime> complete_since = {}) {
    known.note({std::move(changes), now, complete_since.value_or(since)}, since);
    since = now - 15s;
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    look();
  }
  static SettingsChange change(int user, base::WallTime at) {
    return {sample_user(user), sample_user(user).uuid(), 1, at};
  }
};

TEST_F(KnownChangesTest, BeforeTheFirstLookNothingHolds) {
  EXPECT_FALSE(known.still_holds(kAlice, kNow));
}

TEST_F(KnownChangesTest, WhatWasLoadedWithinTheHourHoldsIfNothingWasChangedSince) {
  look();
  EXPECT_TRUE(known.still_holds(kAlice, kNow));
  EXPECT_TRUE(known.still_holds(kAlice, kNow - 1h));
  EXPECT_FALSE(known.still_holds(kAlice, kNow - 1h - 1ms)) << "nobody knows";
}

TEST_F(KnownChangesTest, AChangeEndsWhatWasLoadedBeforeItOrWhileItMayHaveBeenCommitted) {
  look({change(1, kNow - 10min)});
  EXPECT_FALSE(known.still_holds(kAlice, kNow - 20min));
  EXPECT_FALSE(known.still_holds(kAlice, kNow - 10min));
  EXPECT_FALSE(known.still_holds(kAlice, kNow - 10min + 15s - 1ms));
  EXPECT_TRUE(known.still_holds(kAlice, kNow - 10min + 15s));
  EXPECT_TRUE(known.still_holds(kBob, kNow - 20min));
}

TEST_F(KnownChangesTest, TheNewestChangeCountsInWhateverOrderTheyAreSeen) {
  look({change(1, kNow - 1min), change(1, kNow - 30min)});
  EXPECT_FALSE(known.still_holds(kAlice, kNow - 10min));
  now += 2h;  // another generation
  look({change(1, now)});
  pass(20s);
  EXPECT_FALSE(known.still_holds(kAlice, now - 1min));
  EXPECT_FALSE(known.still_holds(kAlice, now - 6s));
  EXPECT_TRUE(known.still_holds(kAlice, now - 5s));
}

TEST_F(KnownChangesTest, WhatIsFarAheadOfTheLastLookIsByAnotherClock) {
  look();
  EXPECT_TRUE(known.still_holds(kAlice, kNow + 12s));
  EXPECT_FALSE(known.still_holds(kAlice, kNow + 12s + 1ms));
}

TEST_F(KnownChangesTest, AChangeIsKnownForAsLongAsAnAnswerOfBeforeCouldHold) {
  look({change(1, kNow)});
  for (int i = 0; i < 400; ++i) {
    pass(1min);
    EXPECT_FALSE(known.still_holds(kAlice, kNow - 1s)) << i;
    EXPECT_FALSE(known.still_holds(kAlice, kNow + 14s)) << i;
    EXPECT_TRUE(known.still_holds(kAlice, now - 30min) || i < 31) << i;
  }
  EXPECT_EQ(known.users(), 0u);
}

TEST_F(KnownChangesTest, ItHoldsNoMoreUsersThanItsBoundAndKnowsWhatItForgot) {
  look();
  for (int user = 1; user <= 40; ++user) {
    now += 10s;
    look({change(user, now)});
    EXPECT_LE(known.users(), 10u);
  }
  EXPECT_FALSE(known.still_holds(kAlice, kNow));
  EXPECT_FALSE(known.still_holds(kBob, kNow));
  EXPECT_TRUE(known.still_holds(kBob, now));
}

TEST_F(KnownChangesTest, AfterALookThatLeftOutChangesNothingOlderHolds) {
  look();
  now += 10min;
  look({change(1, now - 1s)}, now - 2min);
  EXPECT_FALSE(known.still_holds(kBob, now - 5min));
  EXPECT_FALSE(known.still_holds(kBob, now - 2min));
  EXPECT_TRUE(known.still_holds(kBob, now - 2min + 15s));
  now += 10min;
  look({change(1, now - 1s)}, now - 1s);
  EXPECT_TRUE(known.still_holds(kBob, now)) << "it was loaded after all that the look left out";
  EXPECT_FALSE(known.still_holds(kBob, now - 1ms));
}

}  // namespace
}  // namespace notify::stores
