#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>

#include "base/async/batcher.hpp"
#include "base/async/channel.hpp"
#include "base/async/condition.hpp"
#include "base/async/one_shot.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/async/with_deadline.hpp"
#include "fakes/manual_clock.hpp"
#include "fakes/run.hpp"

namespace notify::async {
namespace {

using base::Expected;
using fakes::run;
using std::chrono::milliseconds;

struct AsyncTest : testing::Test {
  asio::io_context context{1};
  base::SystemClock clock;
  Timers timers{context.get_executor(), clock};
  std::string escaped;
  TaskGroup group{context.get_executor(), [this](std::string_view what) { escaped = what; }};
};

using OneShotTest = AsyncTest;
using TaskGroupTest = AsyncTest;
using WithDeadlineTest = AsyncTest;
using ChannelTest = AsyncTest;
using BatcherTest = AsyncTest;

TEST_F(OneShotTest, DeliversAValueThatCameBeforeTheWait) {
  OneShot<int> shot(context.get_executor());
  shot.complete(7);
  EXPECT_EQ(run(context, shot.wait()), 7);
}

Task<void> complete_soon(OneShot<int>& shot, Timers& timers) {
  co_await timers.sleep_for(milliseconds(4));
  shot.complete(8);
}

TEST_F(OneShotTest, DeliversAValueThatComesDuringTheWait) {
  OneShot<int> shot(context.get_executor());
  group.spawn(complete_soon(shot, timers));
  EXPECT_EQ(run(context, shot.wait()), 8);
}

Task<void> wait_forever(Timers& timers, bool& was_cancelled) {
  try {
    co_await timers.sleep_until(base::Deadline::never());
  } catch (const boost::system::system_error&) {
    was_cancelled = true;
    throw;
  }
}

TEST_F(TaskGroupTest, StopCancelsEveryTaskAndWaitsForIt) {
  bool first = false;
  bool second = false;
  group.spawn(wait_forever(timers, first));
  group.spawn(wait_forever(timers, second));
  context.poll();
  run(context, group.stop());
  EXPECT_TRUE(first && second);
  EXPECT_EQ(group.size(), 0u);
  EXPECT_EQ(escaped, "");
  EXPECT_FALSE(group.spawn(wait_forever(timers, first)));
}

Task<void> throw_something() {
  throw std::runtime_error("a bug");
  co_return;
}

TEST_F(TaskGroupTest, AnEscapedExceptionIsReported) {
  group.spawn(throw_something());
  run(context, group.join());
  EXPECT_EQ(escaped, "a bug");
}

Task<Expected<int>> answer_after(Timers& timers, milliseconds delay) {
  co_await timers.sleep_for(delay);
  co_return 42;
}

Task<Expected<int>> fail_at_once() {
  throw std::runtime_error("at once");
  co_return 0;
}

TEST_F(WithDeadlineTest, ReturnsTheResultInTime) {
  const auto result = run(context, with_deadline(timers, timers.after(std::chrono::seconds(5)),
                                                 answer_after(timers, milliseconds(1))));
  EXPECT_EQ(result.value(), 42);
}

TEST_F(WithDeadlineTest, TimesOut) {
  const auto result = run(context, with_deadline(timers, timers.after(milliseconds(5)),
                                                 answer_after(timers, std::chrono::hours(1))));
  EXPECT_EQ(result.error().code, base::Errc::timed_out);
}

TEST_F(WithDeadlineTest, AnEarlyExceptionComesAtOnceAndUnchanged) {
  auto task = with_deadline(timers, timers.after(std::chrono::hours(1)), fail_at_once());
  EXPECT_THROW((void)run(context, std::move(task)), std::runtime_error);
}

TEST_F(WithDeadlineTest, TheOuterDeadlineReachesANestedOne) {
  auto inner = with_deadline(timers, timers.after(std::chrono::hours(1)),
                             answer_after(timers, std::chrono::hours(1)));
  const auto result =
      run(context, with_deadline(timers, timers.after(milliseconds(5)), std::move(inner)));
  EXPECT_EQ(result.error().code, base::Errc::timed_out);
}

Task<void> wait_with_deadline(Timers& timers) {
  const auto result = co_await with_deadline(timers, timers.after(std::chrono::hours(1)),
                                             answer_after(timers, std::chrono::hours(1)));
  ADD_FAILURE() << "went on after cancellation: " << result.has_value();
}

TEST_F(WithDeadlineTest, CancellationOfTheCallerIsNotATimeout) {
  group.spawn(wait_with_deadline(timers));
  context.poll();
  run(context, group.stop());
  EXPECT_EQ(escaped, "");
}

using TimersTest = AsyncTest;

TEST_F(TimersTest, TheContextEndsAtOnceWhenNothingIsArmedAnyMore) {
  Timer first(timers, [] {});
  Timer second(timers, [] {});
  first.arm(timers.after(std::chrono::minutes(10)));
  second.arm(timers.after(std::chrono::minutes(20)));
  context.poll();
  first.disarm();
  second.disarm();
  context.run_for(std::chrono::seconds(2));
  EXPECT_TRUE(context.stopped()) << "it waits for a timer that nobody has armed";
}

TEST_F(TimersTest, AfterAPauseWithoutTimersTheyFireAgain) {
  {
    Timer gone(timers, [] {});
    gone.arm(timers.after(std::chrono::minutes(10)));
  }
  bool fired = false;
  Timer timer(timers, [&fired] { fired = true; });
  timer.arm(timers.after(milliseconds(3)));
  context.run();
  EXPECT_TRUE(fired);
}

TEST(VirtualTime, TimersFireInOrderWhenMovedByHand) {
  asio::io_context context(1);
  fakes::ManualClock clock;
  Timers timers(context.get_executor(), clock, Timers::Driver::by_hand);
  std::vector<int> fired;
  Timer late(timers, [&] { fired.push_back(3); });
  Timer early(timers, [&] { fired.push_back(1); });
  Timer disarmed(timers, [&] { fired.push_back(2); });
  late.arm(timers.after(std::chrono::hours(5)));
  early.arm(timers.after(milliseconds(10)));
  disarmed.arm(timers.after(milliseconds(20)));
  disarmed.disarm();
  while (const auto next = timers.next_expiry()) {
    clock.advance(std::chrono::ceil<milliseconds>(*next - clock.steady_now()));
    timers.advance();
  }
  EXPECT_EQ(fired, (std::vector<int>{1, 3}));
}

TEST(VirtualTime, ATimerNeverFiresEarly) {
  asio::io_context context(1);
  fakes::ManualClock clock;
  Timers timers(context.get_executor(), clock, Timers::Driver::by_hand);
  bool fired = false;
  Timer timer(timers, [&] { fired = true; });
  timer.arm(timers.after(milliseconds(3001)));
  clock.advance(milliseconds(3000));
  timers.advance();
  EXPECT_FALSE(fired);
  clock.advance(milliseconds(5));
  timers.advance();
  EXPECT_TRUE(fired);
}

TEST_F(ChannelTest, HoldsItsBoundAndDrainsAfterClosing) {
  Channel<int> channel(context.get_executor(), 2);
  int one = 1;
  int two = 2;
  int three = 3;
  EXPECT_TRUE(channel.try_send(one));
  EXPECT_TRUE(channel.try_send(two));
  EXPECT_FALSE(channel.try_send(three));
  channel.close();
  EXPECT_EQ(run(context, channel.receive()), 1);
  EXPECT_EQ(channel.try_receive(), 2);
  EXPECT_EQ(run(context, channel.receive()), std::nullopt);
}

Task<void> submit_into(Batcher<int, int>& batcher, int value, std::vector<int>& results) {
  const auto result = co_await batcher.submit(value);
  results.push_back(result ? *result : -static_cast<int>(result.error().code));
}

TEST_F(BatcherTest, CompanyFormsWhileAFlightIsInTheAir) {
  std::vector<std::size_t> flights;
  Batcher<int, int> batcher(timers, {.batch_max = 4, .flights_max = 1, .waiting_max = 100}, {},
                            [&](std::vector<int> items) -> Task<std::vector<Expected<int>>> {
                              flights.push_back(items.size());
                              co_await timers.sleep_for(milliseconds(3));
                              std::vector<Expected<int>> results;
                              for (const int item : items) results.emplace_back(item * 10);
                              co_return results;
                            });
  std::vector<int> results;
  for (int i = 1; i <= 9; ++i) group.spawn(submit_into(batcher, i, results));
  run(context, group.join());
  EXPECT_EQ(results, (std::vector<int>{10, 20, 30, 40, 50, 60, 70, 80, 90}));
  EXPECT_LE(flights.size(), 4u);
  run(context, batcher.stop());
}

Task<std::vector<Expected<int>>> echo(std::vector<int> items,
                                      std::vector<std::vector<int>>& flights) {
  flights.push_back(items);
  co_return std::vector<Expected<int>>(items.begin(), items.end());
}

TEST_F(BatcherTest, LanesTakeTurns) {
  std::vector<std::vector<int>> flights;
  Batcher<int, int> batcher(
      timers, {.batch_max = 4, .flights_max = 1, .waiting_max = 100}, {},
      [&](std::vector<int> items) { return echo(std::move(items), flights); });
  std::optional<Batcher<int, int>::Results> busy, small;
  group.spawn(store_result(batcher.submit({1, 2, 3, 4, 5, 6}, "busy"), busy));
  group.spawn(store_result(batcher.submit({10, 20}, "small"), small));
  context.run();
  EXPECT_EQ(flights, (std::vector<std::vector<int>>{{1, 10, 2, 20}, {3, 4, 5, 6}}));
  ASSERT_TRUE(busy && small);
  EXPECT_EQ(busy->size(), 6u);
  EXPECT_EQ(busy->at(5).value(), 6);
  EXPECT_EQ(small->at(1).value(), 20);
}

TEST_F(BatcherTest, FlightsKeepTheirDistanceAndTheFirstDoesNotWait) {
  std::vector<std::vector<int>> flights;
  Batcher<int, int> batcher(
      timers, {.batch_max = 10, .flights_max = 2, .waiting_max = 100, .interval = milliseconds(30)},
      {}, [&](std::vector<int> items) { return echo(std::move(items), flights); });
  std::vector<int> results;
  group.spawn(submit_into(batcher, 1, results));
  context.poll();
  EXPECT_EQ(flights.size(), 1u);
  const auto second = clock.steady_now();
  for (int i = 2; i <= 5; ++i) group.spawn(submit_into(batcher, i, results));
  run(context, group.join());
  EXPECT_GE(clock.steady_now() - second, milliseconds(20));
  EXPECT_EQ(flights, (std::vector<std::vector<int>>{{1}, {2, 3, 4, 5}}));
  run(context, batcher.stop());
}

TEST_F(BatcherTest, ManyAreLetInTogetherOrNotAtAll) {
  std::vector<std::vector<int>> flights;
  Batcher<int, int> batcher(
      timers, {.batch_max = 4, .flights_max = 1, .waiting_max = 3}, {},
      [&](std::vector<int> items) { return echo(std::move(items), flights); });
  std::optional<Batcher<int, int>::Results> refused, none;
  group.spawn(store_result(batcher.submit({1, 2, 3, 4}, {}), refused));
  group.spawn(store_result(batcher.submit(std::vector<int>(), {}), none));
  context.run();
  ASSERT_TRUE(refused && none);
  EXPECT_EQ(refused->size(), 4u);
  for (const auto& result : *refused) EXPECT_EQ(result.error().code, base::Errc::overloaded);
  EXPECT_TRUE(none->empty());
  EXPECT_TRUE(flights.empty());
}

struct ConditionTest : AsyncTest {
  Condition condition{context.get_executor()};
  bool open = false;
  int passed = 0;
};

Task<void> pass_when_open(ConditionTest& test) {
  co_await test.condition.wait([&test] { return test.open; });
  ++test.passed;
}

TEST_F(ConditionTest, AllWhoWaitGoOnOnceItIsSo) {
  for (int i = 0; i < 3; ++i) group.spawn(pass_when_open(*this));
  context.poll();
  condition.notify();
  context.restart();
  context.poll();
  EXPECT_EQ(passed, 0);
  open = true;
  condition.notify();
  context.restart();
  context.run();
  EXPECT_EQ(passed, 3);
}

TEST_F(ConditionTest, WhatIsSoAlreadyIsNotWaitedFor) {
  open = true;
  group.spawn(pass_when_open(*this));
  context.poll();
  EXPECT_EQ(passed, 1);
}

TEST_F(ConditionTest, ACancelledWaiterIsForgotten) {
  group.spawn(pass_when_open(*this));
  context.poll();
  group.cancel();
  context.restart();
  context.run();
  open = true;
  condition.notify();
  EXPECT_EQ(passed, 0);
  EXPECT_EQ(group.size(), 0u);
}

TEST_F(BatcherTest, RefusesBeyondItsBound) {
  Batcher<int, int> batcher(timers, {.batch_max = 1, .flights_max = 1, .waiting_max = 1}, {},
                            [&](std::vector<int>) -> Task<std::vector<Expected<int>>> {
                              co_await timers.sleep_for(milliseconds(5));
                              co_return std::vector<Expected<int>>{Expected<int>(1)};
                            });
  std::vector<int> results;
  for (int i = 0; i < 3; ++i) group.spawn(submit_into(batcher, i, results));
  run(context, group.join());
  EXPECT_EQ(std::count(results.begin(), results.end(), -static_cast<int>(base::Errc::overloaded)),
            2);
  run(context, batcher.stop());
}

TEST_F(BatcherTest, AFlushThatThrowsStillAnswersItsCallers) {
  Batcher<int, int> batcher(timers, {}, {},
                            [&](std::vector<int>) -> Task<std::vector<Expected<int>>> {
                              throw std::runtime_error("broken");
                              co_return std::vector<Expected<int>>{};
                            });
  std::vector<int> results;
  group.spawn(submit_into(batcher, 1, results));
  run(context, group.join());
  EXPECT_EQ(results, (std::vector<int>{-static_cast<int>(base::Errc::internal)}));
}

}  // namespace
}  // namespace notify::async
