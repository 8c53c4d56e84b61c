#include "flows/breakers.hpp"

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using rules::OutcomeKind;
using rules::Priority;

struct BreakersTest : FlowTest {
  fakes::FakeLoop loop{outside.clock};
  base::SeededRng rng{1};
  std::vector<bool> changes;
  std::size_t turned_away = 0;
  Breakers breakers{{loop.timers, rng, BreakerPolicy{.share = 200},
                     [this](std::string_view, bool is_open) { changes.push_back(is_open); }}};
  async::TaskGroup group{loop.timers.executor(), Node::no_escape()};
  std::list<std::unique_ptr<Breakers::Turn>> turns;
  const rules::Outcome well{.kind = OutcomeKind::accepted};
  const rules::Outcome silence{.kind = OutcomeKind::unknown};
  const rules::Outcome unreached{.kind = OutcomeKind::not_processed};

  BreakersTest() { outside.time.add(loop); }
  ~BreakersTest() override { turns.clear(); }

  Breakers::Turn& enter(const std::string& server = "s", Priority priority = Priority::high) {
    turns.push_back(std::make_unique<Breakers::Turn>(breakers, "apns", server, priority,
                                                     [this] { ++turned_away; }));
    Breakers::Turn& turn = *turns.back();
    if (turn.must_wait()) {
      group.spawn(wait_and_ask(turn));
    } else if (!turn.is_refused()) {
      turn.asks();
    }
    outside.time.run_for(0ms);
    return turn;
  }
  static async::Task<void> wait_and_ask(Breakers::Turn& turn) {
    co_await turn.wait();
    if (!turn.is_refused()) turn.asks();
  }
  std::vector<Breakers::Turn*> enter(std::size_t count) {
    std::vector<Breakers::Turn*> entered;
    while (entered.size() < count) entered.push_back(&enter());
    return entered;
  }
  static bool may_ask(const Breakers::Turn& turn) {
    return !turn.must_wait() && !turn.is_refused();
  }
  /// Asks one after the other.
  void ask(std::size_t count, const rules::Outcome& outcome, const std::string& server = "s") {
    for (std::size_t i = 0; i < count; ++i) {
      Breakers::Turn turn(breakers, "apns", server, Priority::high, [] {});
      ASSERT_TRUE(may_ask(turn)) << i;
      outside.time.run_for(1ms);
      turn.asks();
      turn.answered(outcome);
    }
  }
  bool is_asked(const std::string& server = "s") {
    return may_ask(Breakers::Turn(breakers, "apns", server, Priority::high, [] {}));
  }
};

TEST_F(BreakersTest, AServerThatAnswersMayHaveMoreAndMoreUnderWayUpToItsShare) {
  const auto first = enter(100);
  EXPECT_EQ(std::count_if(first.begin(), first.end(), [](auto* t) { return may_ask(*t); }), 64);
  for (int i = 0; i < 10; ++i) first[static_cast<std::size_t>(i)]->answered(well);
  EXPECT_EQ(std::count_if(first.begin() + 10, first.end(), [](auto* t) { return may_ask(*t); }),
            64 + 10);
  for (std::size_t i = 10; i < 100; ++i) first[i]->answered(well);
  for (int round = 0; round < 5; ++round) {
    for (auto* turn : enter(200)) turn->answered(well);
  }
  const auto last = enter(250);
  EXPECT_EQ(std::count_if(last.begin(), last.end(), [](auto* t) { return may_ask(*t); }), 200);
}

TEST_F(BreakersTest, ALimitThatNobodyComesNearToDoesNotGrow) {
  ask(1000, well);
  const auto entered = enter(100);
  EXPECT_EQ(std::count_if(entered.begin(), entered.end(), [](auto* t) { return may_ask(*t); }), 64);
}

TEST_F(BreakersTest, TroublesInARowOpenIt) {
  ask(9, silence);
  ask(1, well);
  ask(9, unreached);
  EXPECT_TRUE(is_asked());
  EXPECT_TRUE(changes.empty());
  ask(1, unreached);
  EXPECT_EQ(changes, std::vector{true});
  Breakers::Turn& refused = enter();
  EXPECT_TRUE(refused.is_refused());
  EXPECT_GE(refused.retry_after(), 5s);
  EXPECT_TRUE(is_asked("another"));
}

TEST_F(BreakersTest, WhatIsNoTroubleOfItsServerOpensNothing) {
  rules::Outcome outcome = unreached;
  outcome.was_asked = false;
  ask(50, outcome);
  ask(50, {.kind = OutcomeKind::rejected});
  ask(50, {.kind = OutcomeKind::token_gone});
  ask(50, {.kind = OutcomeKind::bad_credentials});
  EXPECT_TRUE(changes.empty());
  EXPECT_TRUE(is_asked());
}

TEST_F(BreakersTest, OneProbeGoesFirstAndItsAnswerClosesIt) {
  ask(10, silence);
  outside.time.run_for(7s);
  Breakers::Turn& probe = enter();
  EXPECT_TRUE(may_ask(probe));
  EXPECT_TRUE(enter().is_refused());
  probe.answered(well);
  EXPECT_EQ(changes, (std::vector{true, false}));
  const auto after = enter(10);
  EXPECT_EQ(std::count_if(after.begin(), after.end(), [](auto* t) { return may_ask(*t); }), 4)
      << "it begins slowly";
  for (auto* turn : after) turn->answered(well);
}

TEST_F(BreakersTest, AProbeThatFailsKeepsItOpenForLonger) {
  ask(10, unreached);
  std::vector<std::chrono::milliseconds> waits;
  for (int i = 0; i < 20; ++i) {
    const auto before = now();
    while (!is_asked()) outside.time.run_for(500ms);
    waits.push_back(now() - before);
    ask(1, unreached);
  }
  EXPECT_LE(waits.front(), 7s);
  EXPECT_GE(waits.back(), 2min);
  EXPECT_LE(waits.back(), 2min + 25s);
  EXPECT_EQ(changes, std::vector{true}) << "it was open all the time";
}

TEST_F(BreakersTest, AProbeThatWasNotAskedLeavesItToTheNext) {
  ask(10, silence);
  outside.time.run_for(7s);
  EXPECT_TRUE(is_asked()) << "and is given up";
  rules::Outcome not_asked = unreached;
  not_asked.was_asked = false;
  ask(3, not_asked);
  EXPECT_TRUE(is_asked());
}

TEST_F(BreakersTest, SilenceOpensItBeforeAnyTimeoutDoes) {
  const auto entered = enter(100);
  outside.time.run_for(1900ms);
  EXPECT_TRUE(changes.empty());
  outside.time.run_for(200ms);
  EXPECT_EQ(changes, std::vector{true});
  EXPECT_EQ(std::count_if(entered.begin(), entered.end(), [](auto* t) { return t->is_refused(); }),
            100 - 64);
  EXPECT_EQ(turned_away, 64u) << "who waits behind those that were asked is told";
  ASSERT_TRUE(breakers.open_for("s"));
  EXPECT_GE(*breakers.open_for("s"), 5s);
  EXPECT_FALSE(breakers.open_for("another"));
  entered[0]->answered(well);
  EXPECT_EQ(changes, (std::vector{true, false})) << "it was only slow";
}

TEST_F(BreakersTest, SilenceOfFewIsNoneOfTheServer) {
  enter(9);
  outside.time.run_for(1min);
  enter(30);
  outside.time.run_for(1900ms);
  EXPECT_TRUE(changes.empty()) << "what was asked just now may be answered yet";
  outside.time.run_for(1s);
  EXPECT_EQ(changes, std::vector{true});
}

TEST_F(BreakersTest, WhoWasNotAskedYetIsNotSilent) {
  for (int i = 0; i < 20; ++i) {
    turns.push_back(std::make_unique<Breakers::Turn>(breakers, "apns", "s", Priority::high, [] {}));
  }
  outside.time.run_for(10s);
  EXPECT_TRUE(changes.empty());
}

TEST_F(BreakersTest, WhatFailsTogetherIsOneTrouble) {
  const auto entered = enter(64);
  outside.time.run_for(10ms);
  for (auto* turn : entered) turn->answered(unreached);
  EXPECT_TRUE(changes.empty());
  const auto after = enter(64);
  EXPECT_EQ(std::count_if(after.begin(), after.end(), [](auto* t) { return may_ask(*t); }), 32);
}

TEST_F(BreakersTest, WhatStillHangsFromBeforeDoesNotHinderAServerThatIsBack) {
  const auto stuck = enter(64);
  outside.time.run_for(8s);
  EXPECT_EQ(changes, std::vector{true});
  Breakers::Turn& probe = enter();
  ASSERT_TRUE(may_ask(probe));
  probe.answered(well);
  for (int round = 0; round < 20; ++round) {
    for (auto* turn : enter(4)) {
      ASSERT_TRUE(may_ask(*turn)) << round;
      turn->answered(well);
    }
    outside.time.run_for(200ms);
    if (round != 10) continue;
    for (auto* turn : stuck) turn->answered(silence);
  }
  EXPECT_EQ(changes, (std::vector{true, false}));
}

TEST_F(BreakersTest, AProbeIsNoneAnyMoreIfSomebodyElseWasAnswered) {
  const auto stuck = enter(20);
  outside.time.run_for(8s);
  Breakers::Turn& probe = enter();
  stuck[0]->answered(well);
  EXPECT_EQ(changes, (std::vector{true, false}));
  outside.time.run_for(1s);
  probe.answered(silence);
  EXPECT_EQ(changes, (std::vector{true, false})) << "it is one trouble as any other";
}

TEST_F(BreakersTest, AServerThatAnswersSomeOfThemIsNotSilent) {
  const auto entered = enter(60);
  for (std::size_t i = 0; i < 30; ++i) {
    outside.time.run_for(1s);
    entered[i]->answered(well);
  }
  EXPECT_TRUE(changes.empty());
}

TEST_F(BreakersTest, NobodyWaitsLongForASlowServer) {
  const auto entered = enter(100);
  for (std::size_t i = 0; i < 12; ++i) {
    outside.time.run_for(100ms);
    entered[i]->answered(well);
  }
  EXPECT_TRUE(changes.empty());
  for (const auto* turn : entered) EXPECT_FALSE(turn->must_wait());
  EXPECT_TRUE(entered.back()->is_refused());
  EXPECT_GE(entered.back()->retry_after(), 5s);
}

TEST_F(BreakersTest, AFullLineThatMovesHoldsLeasingAndOneThatDoesNotTurnsAway) {
  const auto entered = enter(200);
  EXPECT_TRUE(breakers.is_congested());
  EXPECT_TRUE(enter().must_wait()) << "what is leased already";
  outside.time.run_for(300ms);
  EXPECT_FALSE(breakers.is_congested());
  EXPECT_TRUE(enter().is_refused());
  EXPECT_FALSE(enter("another").is_refused());
  outside.time.run_for(1s);
  EXPECT_FALSE(breakers.is_congested());
}

TEST_F(BreakersTest, ALineThatMovesIsWaitedInHoweverLongItIs) {
  const auto entered = enter(200);
  for (std::size_t i = 0; i < 8; ++i) {
    outside.time.run_for(100ms);
    entered[i]->answered({.kind = OutcomeKind::rejected});
    EXPECT_FALSE(enter().is_refused()) << i;
    EXPECT_TRUE(breakers.is_congested()) << i;
  }
}

TEST_F(BreakersTest, AFullLineGivesUpThePlaceOfTheLeastUrgent) {
  enter(64);
  std::vector<const Breakers::Turn*> low;
  for (int i = 0; i < 136; ++i) low.push_back(&enter("s", Priority::low));
  outside.time.run_for(300ms);
  EXPECT_TRUE(enter("s", Priority::low).is_refused());
  EXPECT_TRUE(enter("s", Priority::high).must_wait());
  EXPECT_TRUE(low.back()->is_refused());
  EXPECT_TRUE(low.front()->must_wait());
}

TEST_F(BreakersTest, InALineTheUrgentComeFirst) {
  enter(64);
  const Breakers::Turn& low = enter("s", Priority::low);
  const Breakers::Turn& high = enter("s", Priority::high);
  turns.pop_front();  // it was not asked
  EXPECT_TRUE(may_ask(high));
  EXPECT_FALSE(may_ask(low));
  turns.pop_front();
  EXPECT_TRUE(may_ask(low));
}

TEST_F(BreakersTest, WhoLeavesALineHoldsNobodyUp) {
  const auto entered = enter(64);
  auto leaving = std::make_unique<Breakers::Turn>(breakers, "apns", "s", Priority::high, [] {});
  const Breakers::Turn& next = enter();
  leaving.reset();
  entered[0]->answered(well);
  EXPECT_TRUE(may_ask(next));
}

TEST_F(BreakersTest, OfTooManyServersThoseThatWereNotAskedForLongAreForgotten) {
  ask(10, silence, "apns");
  for (int i = 0; i < 3000; ++i) ask(1, silence, "https://" + std::to_string(i));
  EXPECT_EQ(changes, std::vector{true});
  EXPECT_TRUE(breakers.open_for("apns")) << "an open one is kept";
  changes.clear();
  for (int i = 0; i < 1200; ++i) ask(10, silence, "https://open/" + std::to_string(i));
  EXPECT_EQ(std::count(changes.begin(), changes.end(), true), 1200);
  EXPECT_EQ(std::count(changes.begin(), changes.end(), false), 201)
      << "what is forgotten is not called open for ever";
}

TEST_F(BreakersTest, ASmallShareIsNeverExceeded) {
  Breakers small({loop.timers, rng, BreakerPolicy{.share = 3}, [](std::string_view, bool) {}});
  std::list<Breakers::Turn> entered;
  for (int i = 0; i < 5; ++i) entered.emplace_back(small, "apns", "s", Priority::high, [] {});
  EXPECT_EQ(std::count_if(entered.begin(), entered.end(), [](auto& t) { return may_ask(t); }), 3);
}

}  // namespace
}  // namespace notify::flows
