#include <algorithm>
#include <map>
#include <set>

#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

using base::NotificationId;
using rules::Priority;
TEST_P(QueueContract, WhatWasEnqueuedIsLeasedOnceAndGoneAfterItsAck) {
  settle();
  const rules::Notification n = sample();
  enqueue(n);
  const auto leased = lease(world->first());
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].notification.id, n.id);
  EXPECT_EQ(leased[0].notification.body, n.body);
  EXPECT_EQ(leased[0].notification.expires_at, n.expires_at);
  EXPECT_FALSE(leased[0].suspect);
  EXPECT_TRUE(lease(world->second()).empty());
  ok(world->first().queue.ack(key(n)));
  EXPECT_TRUE(lease(world->first()).empty());
  EXPECT_TRUE(mine(world->first()).empty());
}

TEST_P(QueueContract, WhatComesTooLateIsLeftToRecovery) {
  live(world->first());
  const auto late = fakes::sample_notification(started - stores::kEnqueueWithin - 1ms, 1);
  const auto in_time = fakes::sample_notification(started - stores::kEnqueueWithin + 2s, 2);
  const auto done = world->run(world->first().queue.enqueue({{late, started}, {in_time, started}}));
  ASSERT_EQ(done.size(), 2u);
  ASSERT_FALSE(done[0]);
  EXPECT_EQ(done[0].error().code, base::Errc::timed_out);
  EXPECT_TRUE(done[1]);
  EXPECT_EQ(ids_of(lease(world->first())), (Ids{in_time.id}));
}

TEST_P(QueueContract, WhatIsNotDueIsNotLeased) {
  enqueue(sample(1), 1h);
  EXPECT_TRUE(lease(world->first()).empty());
}

TEST_P(QueueContract, WhatIsDueFirstIsLeasedFirst) {
  enqueue(alices(1), -1s);
  enqueue(alices(2), -3s);
  enqueue(alices(3), -2s);
  EXPECT_EQ(ids_of(lease(world->first())), (Ids{sample(2).id, sample(3).id, sample(1).id}));
}

/// Found by the simulation: a node whose clock is ahead would see its own overtaken by another's.
TEST_P(QueueContract, WhatIsDueAtOnceIsInTheOrderOfItsArrivalWhateverItsIdSays) {
  live(world->first());
  rules::Notification ahead = alices(1);
  ahead.id = fakes::sample_notification(started + 1s, 1).id;
  ASSERT_TRUE(world->run(fakes::enqueue_one(world->first().queue, {ahead, ahead.created_at()})));
  world->pass(5ms);
  enqueue(alices(2));
  EXPECT_EQ(ids_of(lease(world->first())), (Ids{ahead.id, alices(2).id}));
}

TEST_P(QueueContract, AFloodOfHighDoesNotStarveTheOthers) {
  for (std::uint8_t i = 1; i <= 120; ++i) enqueue(sample(i, Priority::high), -10s);
  enqueue(sample(200, Priority::medium));
  enqueue(sample(201, Priority::low));
  std::map<Priority, int> counts;
  for (const auto& lease : lease(world->first(), 21)) ++counts[lease.notification.priority];
  EXPECT_EQ(counts[Priority::medium], 1);
  EXPECT_EQ(counts[Priority::low], 1);
  EXPECT_GE(counts[Priority::high], 10);
}

TEST_P(QueueContract, ALeaseIsNeverLargerThanWasAskedFor) {
  for (std::uint8_t i = 1; i <= 60; ++i) enqueue(sample(i, rules::kPriorities[i % 3]), -1s);
  for (const std::size_t max : {1u, 2u, 3u, 5u, 20u}) {
    EXPECT_LE(lease(world->first(), max).size(), max) << "asked for " << max;
  }
}

TEST_P(QueueContract, EnqueueingTwiceIsOneItem) {
  enqueue(sample(), -2s);
  enqueue(sample(), -1s);
  EXPECT_EQ(lease(world->first()).size(), 1u);
  EXPECT_TRUE(lease(world->first()).empty());
}

TEST_P(QueueContract, ALeaseIsOnTheBooksOfTheNodeThatTookIt) {
  enqueue(sample(1));
  EXPECT_EQ(lease(world->first()).size(), 1u);
  const auto held = mine(world->first());
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].notification, sample(1).id);
  EXPECT_EQ(held[0].priority, Priority::medium);
  EXPECT_TRUE(mine(world->second()).empty());
}

TEST_P(QueueContract, NoItemIsLeasedByTwoNodes) {
  for (std::uint8_t i = 1; i <= 40; ++i) enqueue(sample(i));
  std::vector<async::Task<base::Expected<std::vector<stores::Lease>>>> tasks;
  for (int i = 0; i < 3; ++i) {
    tasks.push_back(world->first().queue.lease(10, world->soon()));
    tasks.push_back(world->second().queue.lease(10, world->soon()));
  }
  std::set<NotificationId> seen;
  std::size_t total = 0;
  for (const auto& leased : world->run_all(std::move(tasks))) {
    for (const auto& lease : leased.value()) seen.insert(lease.notification.id);
    total += leased.value().size();
  }
  EXPECT_EQ(seen.size(), total);
}

TEST_P(QueueContract, APostponedItemComesBackInItsTimeAsASuspect) {
  const rules::Notification n = sample();
  enqueue(n);
  ASSERT_EQ(lease(world->first()).size(), 1u);
  ok(world->first().queue.postpone(key(n), world->now() + 200ms));
  EXPECT_TRUE(mine(world->first()).empty());
  EXPECT_TRUE(lease(world->first()).empty());
  world->pass(300ms);
  const auto again = lease(world->second());
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(again[0].suspect);
}

TEST_P(QueueContract, AnAckEndsTheSuspicion) {
  settle();
  const rules::Notification n = sample();
  enqueue(n);
  ASSERT_EQ(lease(world->first()).size(), 1u);
  ok(world->first().queue.postpone(key(n), world->now() - 1ms));
  ASSERT_EQ(lease(world->first()).size(), 1u);
  ok(world->first().queue.ack(key(n)));
  enqueue(n);
  const auto again = lease(world->first());
  ASSERT_EQ(again.size(), 1u);
  EXPECT_FALSE(again[0].suspect);
}

TEST_P(QueueContract, PostponingWhatIsNotLeasedChangesNothing) {
  ok(world->first().queue.postpone(key(sample()), world->now() - 1ms));
  EXPECT_TRUE(lease(world->first()).empty());
}

TEST_P(QueueContract, TheLeasesOfTheDeadGoToTheLivingAsSuspects) {
  heartbeat(world->second());
  for (std::uint8_t i = 1; i <= 3; ++i) enqueue(sample(i, rules::kPriorities[i % 3]));
  heartbeat(world->first());
  ASSERT_EQ(lease(world->first()).size(), 3u);
  die(world->first());
  EXPECT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 3u);
  EXPECT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 0u);
  const auto taken = lease(world->second());
  ASSERT_EQ(taken.size(), 3u);
  for (const auto& lease : taken) EXPECT_TRUE(lease.suspect);
  EXPECT_TRUE(mine(world->first()).empty());
}

TEST_P(QueueContract, TheLeasesOfTheLivingStay) {
  heartbeat(world->first());
  heartbeat(world->second());
  enqueue(sample());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  EXPECT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 0u);
  EXPECT_EQ(mine(world->first()).size(), 1u);
}

TEST_P(QueueContract, ANodeDoesNotTakeOverItself) {
  heartbeat(world->first());
  enqueue(sample());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  die(world->first());
  EXPECT_EQ(count(world->first().repairs.take_over_dead(world->soon())), 0u);
  EXPECT_EQ(mine(world->first()).size(), 1u);
}

TEST_P(QueueContract, AnAckThatComesAfterTheTakeoverLeavesTheItemASuspect) {
  heartbeat(world->first());
  const rules::Notification n = sample();
  enqueue(n);
  ASSERT_EQ(lease(world->first()).size(), 1u);
  die(world->first());
  ASSERT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 1u);
  ok(world->first().queue.ack(key(n)));
  const auto taken = lease(world->second());
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_TRUE(taken[0].suspect) << "it would be sent again without a look at the ledger";
}

TEST_P(QueueContract, APostponementThatComesAfterTheTakeoverChangesNothing) {
  heartbeat(world->first());
  const rules::Notification n = sample();
  enqueue(n);
  ASSERT_EQ(lease(world->first()).size(), 1u);
  die(world->first());
  ASSERT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 1u);
  ASSERT_EQ(lease(world->second()).size(), 1u);
  ok(world->first().queue.postpone(key(n), world->now() - 1ms));
  EXPECT_TRUE(lease(world->first()).empty());
  EXPECT_EQ(mine(world->second()).size(), 1u);
}

TEST_P(QueueContract, ReadmitLeavesOutWhatIsQueuedOrLeased) {
  heartbeat(world->first());
  heartbeat(world->second());
  enqueue(sample(1), 1h);
  enqueue(sample(2));
  ASSERT_EQ(lease(world->first()).size(), 1u);
  std::vector<stores::QueueItem> items;
  for (std::uint8_t i = 1; i <= 4; ++i) {
    items.push_back({sample(i, i == 4 ? Priority::low : Priority::medium), started - 1s});
  }
  EXPECT_EQ(count(world->second().repairs.readmit(items, world->soon())), 2u);
  EXPECT_EQ(count(world->second().repairs.readmit(items, world->soon())), 0u);
  const auto leased = lease(world->second());
  const Ids ids = ids_of(leased);
  EXPECT_EQ(std::set(ids.begin(), ids.end()), (std::set{sample(3).id, sample(4).id}));
  for (const auto& lease : leased) EXPECT_TRUE(lease.suspect);
}

TEST_P(QueueContract, ReadmittingNothingIsNothing) {
  heartbeat(world->first());
  EXPECT_EQ(count(world->first().repairs.readmit({}, world->soon())), 0u);
}

TEST_P(QueueContract, WhatIsGivenBackIsDueAtOnceAsASuspect) {
  enqueue(sample());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  ok(world->first().leases.give_back(key(sample()), world->soon()));
  EXPECT_TRUE(mine(world->first()).empty());
  const auto again = lease(world->first());
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(again[0].suspect);
}

TEST_P(QueueContract, WhoSignsOffLeavesItsLeasesAndTheRegister) {
  heartbeat(world->first());
  heartbeat(world->second());
  enqueue(sample());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  ok(world->first().leases.sign_off(world->soon()));
  EXPECT_TRUE(mine(world->first()).empty());
  EXPECT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 0u);
  const auto leased = lease(world->second());
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_TRUE(leased[0].suspect);
}

TEST_P(QueueContract, ARenewedHeartbeatKeepsTheLeases) {
  heartbeat(world->second());
  heartbeat(world->first(), 20ms);
  enqueue(sample());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  heartbeat(world->first(), 1h);
  world->pass(60ms);
  EXPECT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 0u);
}

TEST_P(QueueContract, ATakeoverIsCompleteHoweverManyLeasesThereAre) {
  heartbeat(world->first());
  for (int i = 0; i < 450; ++i) {
    rules::Notification n = sample(static_cast<std::uint8_t>(i % 225));
    if (i >= 225)
      n.id = fakes::sample_notification(started - 1ms, static_cast<std::uint8_t>(i - 225)).id;
    enqueue(n, -1s);
  }
  ASSERT_EQ(lease(world->first(), 1000).size(), 450u);
  die(world->first());
  EXPECT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 450u);
  EXPECT_EQ(lease(world->second(), 1000).size(), 450u);
}

// A user's order.

TEST_P(QueueContract, WhileANodeHasItemsOfAUserNoOtherGetsMoreOfThem) {
  enqueue(alices(1));
  ASSERT_EQ(lease(world->first()).size(), 1u);
  enqueue(alices(2));
  enqueue(sample(3));
  EXPECT_EQ(ids_of(lease(world->second())), (Ids{sample(3).id}));
  EXPECT_EQ(ids_of(lease(world->first())), (Ids{alices(2).id}));
  ok(world->first().queue.ack(key(alices(1))));
  enqueue(alices(4));
  EXPECT_TRUE(lease(world->second()).empty()) << "one of two is still under way";
  ok(world->first().queue.ack(key(alices(2))));
  EXPECT_EQ(ids_of(lease(world->second())), (Ids{alices(4).id}));
}

TEST_P(QueueContract, APriorityDoesNotWaitForAnother) {
  enqueue(alices(1, Priority::low));
  ASSERT_EQ(lease(world->first()).size(), 1u);
  enqueue(alices(2, Priority::high));
  EXPECT_EQ(lease(world->second()).size(), 1u);
}

TEST_P(QueueContract, AUserIsFreeAgainWhenItsItemIsPostponedOrGivenBackOrTakenOver) {
  heartbeat(world->second());
  enqueue(alices(1));
  ASSERT_EQ(lease(world->first()).size(), 1u);
  ok(world->first().queue.postpone(key(alices(1)), world->now() + 1h));
  enqueue(alices(2));
  ASSERT_EQ(lease(world->second()).size(), 1u);
  ok(world->second().leases.give_back(key(alices(2)), world->soon()));
  heartbeat(world->first());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  die(world->first());
  ASSERT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 1u);
  EXPECT_EQ(lease(world->second()).size(), 1u);
}

TEST_P(QueueContract, WhatIsTakenOverComesBeforeWhatItsUserGotSince) {
  heartbeat(world->second());
  heartbeat(world->first());
  enqueue(alices(1));
  ASSERT_EQ(lease(world->first()).size(), 1u);
  world->pass(20ms);
  rules::Notification later = alices(2);
  later.id = fakes::sample_notification(world->now(), 2).id;
  ASSERT_TRUE(world->run(fakes::enqueue_one(world->first().queue, {later, world->now()})));
  die(world->first());
  ASSERT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 1u);
  EXPECT_EQ(ids_of(lease(world->second())), (Ids{alices(1).id, later.id}));
}

TEST_P(QueueContract, OneUserDoesNotFillANode) {
  for (std::uint8_t i = 1; i <= 60; ++i) enqueue(alices(i), -1s);
  enqueue(sample(99));
  const auto leased = lease(world->first(), 256);
  EXPECT_EQ(leased.size(), stores::kUserLeasesMax + 1);
  const Ids ids = ids_of(leased);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), sample(99).id), 1);
}

// Epochs and the election.

TEST_P(QueueContract, AnEpochIsYoungThenGappyThenWhole) {
  const auto first = heartbeat(world->first(), 50ms);
  EXPECT_EQ(first.epoch, stores::Epoch::young);
  world->pass(60ms);
  const auto second = heartbeat(world->first(), 50ms);
  EXPECT_EQ(second.epoch, stores::Epoch::gappy);
  EXPECT_EQ(second.epoch_number, first.epoch_number);
  ok(world->first().repairs.set_whole(second.epoch_number, world->soon()));
  EXPECT_EQ(heartbeat(world->first(), 1h).epoch, stores::Epoch::whole);
  EXPECT_EQ(heartbeat(world->second(), 1h).epoch, stores::Epoch::whole);
}

TEST_P(QueueContract, AnEmptiedOrReplacedServerBeginsAnEpoch) {
  const auto before = heartbeat(world->first());
  ok(world->first().repairs.set_whole(before.epoch_number, world->soon()));
  world->empty();
  const auto emptied = heartbeat(world->first());
  EXPECT_EQ(emptied.epoch_number, before.epoch_number + 1);
  EXPECT_EQ(emptied.epoch, stores::Epoch::young);
  EXPECT_EQ(heartbeat(world->first()).epoch_number, emptied.epoch_number);
  world->replace_server();
  const auto replaced = heartbeat(world->first());
  EXPECT_EQ(replaced.epoch_number, emptied.epoch_number + 1);
  EXPECT_EQ(replaced.epoch, stores::Epoch::young);
}

TEST_P(QueueContract, AnEpochThatIsOverCannotBecomeWhole) {
  const auto old = heartbeat(world->first(), 20ms);
  world->replace_server();
  heartbeat(world->second(), 20ms);
  ok(world->first().repairs.set_whole(old.epoch_number, world->soon()));
  world->pass(40ms);
  EXPECT_EQ(heartbeat(world->second(), 20ms).epoch, stores::Epoch::gappy);
  heartbeat(world->first(), 20ms);
  ok(world->first().repairs.set_whole(old.epoch_number, world->soon()));
  EXPECT_EQ(heartbeat(world->second(), 20ms).epoch, stores::Epoch::gappy);
}

TEST_P(QueueContract, WhatWasQueuedInAnOlderEpochComesBackByASalvageAsASuspect) {
  heartbeat(world->first());
  enqueue(sample(1));
  enqueue(sample(2), 1h);
  world->replace_server();
  heartbeat(world->first());
  EXPECT_TRUE(lease(world->first()).empty());
  enqueue(sample(3));
  EXPECT_EQ(ids_of(lease(world->first())), (Ids{sample(3).id}));
  EXPECT_EQ(count(world->first().repairs.salvage(world->soon())), 2u);
  EXPECT_EQ(count(world->first().repairs.salvage(world->soon())), 0u);
  const auto leased = lease(world->first());
  ASSERT_EQ(ids_of(leased), (Ids{sample(1).id})) << "the other one is not due";
  EXPECT_TRUE(leased[0].suspect);
}

TEST_P(QueueContract, WhatWasPutAsideTwiceIsSalvagedOnce) {
  heartbeat(world->first());
  enqueue(sample(1));
  world->replace_server();
  heartbeat(world->first());
  enqueue(sample(1));
  enqueue(sample(2));
  world->replace_server();
  heartbeat(world->first());
  EXPECT_EQ(count(world->first().repairs.salvage(world->soon())), 2u);
  EXPECT_EQ(lease(world->first()).size(), 2u);
}

TEST_P(QueueContract, WhatIsClaimedIsNotSalvagedNorReadmittedAndKeepsItsUser) {
  heartbeat(world->first());
  heartbeat(world->second());
  enqueue(alices(1));
  auto held = lease(world->first());
  ASSERT_EQ(held.size(), 1u);
  world->empty();
  enqueue(alices(1));
  heartbeat(world->first());
  heartbeat(world->second());
  ok(world->first().leases.claim(held, world->soon()));
  EXPECT_EQ(mine(world->first()).size(), 1u);
  EXPECT_EQ(count(world->second().repairs.salvage(world->soon())), 0u);
  EXPECT_EQ(count(world->second().repairs.readmit({{alices(1), started}}, world->soon())), 0u);
  enqueue(alices(2));
  EXPECT_TRUE(lease(world->second()).empty());
  ok(world->first().queue.ack(held[0].key()));
  EXPECT_EQ(lease(world->second()).size(), 1u);
}

/// Found by the simulation: in books that went back, two nodes can have an item.
TEST_P(QueueContract, AnAckOfWhatIsQueuedAgainLeavesItASuspect) {
  heartbeat(world->first());
  heartbeat(world->second());
  enqueue(alices(1));
  const auto held = lease(world->first());
  ASSERT_EQ(held.size(), 1u);
  ok(world->second().leases.claim(held, world->soon()));
  ok(world->first().leases.give_back(key(alices(1)), world->soon()));
  ok(world->second().queue.ack(key(alices(1))));
  const auto again = lease(world->first());
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(again[0].suspect);
}

/// Found by the simulation: the books of a queue that was just emptied lack what is under way.
TEST_P(QueueContract, NothingIsPutBackInAnEpochThatNoHeartbeatHasSeen) {
  heartbeat(world->first());
  world->empty();
  EXPECT_FALSE(world->run(world->first().repairs.readmit({{sample(1), started}}, world->soon())));
  EXPECT_FALSE(world->run(world->first().repairs.salvage(world->soon())));
  heartbeat(world->first());
  EXPECT_EQ(count(world->first().repairs.readmit({{sample(1), started}}, world->soon())), 1u);
}

TEST_P(QueueContract, ClaimingWhatIsOnTheBooksChangesNothing) {
  heartbeat(world->first());
  enqueue(alices(1));
  const auto held = lease(world->first());
  ok(world->first().leases.claim(held, world->soon()));
  ok(world->first().queue.ack(key(alices(1))));
  enqueue(alices(2));
  EXPECT_EQ(lease(world->second()).size(), 1u);
}

// Terms: who may lease, claim, and keep what it has.

TEST_P(QueueContract, ANodeWhoseTimeHasRunOutGetsNothingUntilItBeatsAgain) {
  const auto first = heartbeat(world->first(), 20ms);
  enqueue(sample());
  world->pass(60ms);
  EXPECT_TRUE(lease(world->first()).empty());
  const auto second = heartbeat(world->first());
  EXPECT_EQ(second.term, first.term + 1);
  EXPECT_EQ(lease(world->first()).size(), 1u);
  EXPECT_EQ(heartbeat(world->first()).term, second.term);
}

TEST_P(QueueContract, ANewEpochEndsNoTerm) {
  const auto before = heartbeat(world->first());
  world->replace_server();
  EXPECT_EQ(heartbeat(world->first()).term, before.term);
}

TEST_P(QueueContract, ANodeThatCameBackIsNotTakenOver) {
  heartbeat(world->second());
  heartbeat(world->first(), 20ms);
  world->pass(60ms);
  heartbeat(world->first());
  enqueue(sample());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  EXPECT_EQ(count(world->second().repairs.take_over_dead(world->soon())), 0u);
  EXPECT_EQ(mine(world->first()).size(), 1u);
  EXPECT_EQ(lease(world->first()).size(), 0u);
  enqueue(sample(2));
  EXPECT_EQ(lease(world->first()).size(), 1u) << "it was not struck off either";
}

TEST_P(QueueContract, AClaimIsRefusedOnceTheEpochIsNotYoung) {
  heartbeat(world->first(), 50ms);
  enqueue(sample());
  const auto held = lease(world->first());
  ASSERT_EQ(held.size(), 1u);
  world->empty();
  heartbeat(world->second(), 50ms);
  world->pass(60ms);
  heartbeat(world->first(), 50ms);
  const auto claimed = world->run(world->first().leases.claim(held, world->soon()));
  ASSERT_FALSE(claimed) << "recovery may have given it to another node";
  EXPECT_EQ(claimed.error().code, base::Errc::conflict);
  EXPECT_TRUE(mine(world->first()).empty());
}

TEST_P(QueueContract, AClaimIsRefusedToANodeWhoseTimeHasRunOut) {
  heartbeat(world->first());
  enqueue(sample());
  const auto held = lease(world->first());
  world->empty();
  heartbeat(world->second());
  heartbeat(world->first(), 20ms);
  world->pass(60ms);
  EXPECT_FALSE(world->run(world->first().leases.claim(held, world->soon())));
}

TEST_P(QueueContract, ANodeThatMayNotLeadLeavesTheOffice) {
  EXPECT_TRUE(heartbeat(world->first()).leads);
  const auto pulse = world->run(world->first().leases.heartbeat({1h, false}, world->soon()));
  EXPECT_FALSE(pulse.value().leads);
  EXPECT_TRUE(heartbeat(world->second()).leads);
}

// The identity of an item.

TEST_P(QueueContract, AnItemIsKnownByItsIdWhateverElseOfItDiffers) {
  heartbeat(world->first());
  enqueue(sample());
  rules::Notification other = sample();
  other.body = "Are you still coming?";
  EXPECT_EQ(count(world->first().repairs.readmit({{other, started}}, world->soon())), 0u);
  enqueue(other);
  const auto leased = lease(world->first());
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].notification.body, sample().body);
  EXPECT_EQ(count(world->first().repairs.readmit({{other, started}}, world->soon())), 0u);
  ok(world->first().queue.ack(key(sample())));
  EXPECT_TRUE(lease(world->first()).empty());
}

/// One user has more items than may be leased, and they are first in the queue.
TEST_P(QueueContract, AFloodOfOneUserHidesNobodyAndKeepsItsOrder) {
  heartbeat(world->first());
  heartbeat(world->second());
  constexpr std::uint8_t kFlood = 250;
  Ids flood;
  for (std::uint8_t i = 1; i <= kFlood; ++i) {
    enqueue(alices(i), std::chrono::milliseconds(i) - 2s);
    flood.push_back(alices(i).id);
  }
  enqueue(sample(252), -1s);
  Ids came = ids_of(lease(world->first(), 16));
  EXPECT_FALSE(came.empty());
  EXPECT_EQ(ids_of(lease(world->second())), (Ids{sample(252).id}));
  for (std::size_t done = 0; done < came.size(); ++done) {
    rules::Notification n = alices(1);
    n.id = came[done];
    ok(world->first().queue.ack(key(n)));
    const Ids more = ids_of(lease(world->first(), 16));
    came.insert(came.end(), more.begin(), more.end());
    EXPECT_TRUE(ids_of(lease(world->second())).empty() || came.size() == flood.size());
    ASSERT_LE(came.size(), flood.size());
  }
  EXPECT_EQ(came, flood);
}

// Losses.

TEST_P(QueueContract, AQueueThatWasWholeHasLostNothingOfBeforeItsLastHeartbeat) {
  const auto first = heartbeat(world->first());
  EXPECT_EQ(first.lost_since, std::nullopt) << "nothing is known of before";
  ok(world->first().repairs.set_whole(first.epoch_number, world->soon()));
  world->pass(30ms);
  const base::WallTime before = world->now();
  heartbeat(world->first());
  const base::WallTime after = world->now();
  world->pass(30ms);
  world->replace_server();
  const auto replaced = heartbeat(world->second());
  ASSERT_TRUE(replaced.lost_since);
  EXPECT_GE(*replaced.lost_since, before - 1ms);
  EXPECT_LE(*replaced.lost_since, after + 1ms);
  world->pass(30ms);
  world->replace_server();
  EXPECT_EQ(heartbeat(world->first()).lost_since, replaced.lost_since)
      << "it was not whole again in between";
  world->empty();
  EXPECT_EQ(heartbeat(world->first()).lost_since, std::nullopt);
}

TEST_P(QueueContract, HowFarItIsRebuiltIsKeptInItsEpoch) {
  const auto pulse = heartbeat(world->first());
  const stores::Rebuilt rebuilt{started, started - 1h};
  ok(world->first().repairs.set_rebuilt(pulse.epoch_number, rebuilt, world->soon()));
  EXPECT_EQ(heartbeat(world->second()).rebuilt, rebuilt);
  world->replace_server();
  EXPECT_EQ(heartbeat(world->second()).rebuilt, std::nullopt);
  ok(world->first().repairs.set_rebuilt(pulse.epoch_number, rebuilt, world->soon()));
  EXPECT_EQ(heartbeat(world->second()).rebuilt, std::nullopt) << "that epoch is over";
}

/// Its run_id and its connections stay. Its replication id does not.
TEST_P(QueueContract, AServerThatWasAReplicaMeanwhileBeginsAnEpoch) {
  const auto before = heartbeat(world->first());
  heartbeat(world->second());
  enqueue(sample());
  world->fail_back();
  EXPECT_TRUE(lease(world->second()).empty()) << "it may have lost an ack";
  EXPECT_EQ(heartbeat(world->first()).epoch_number, before.epoch_number + 1);
  EXPECT_TRUE(lease(world->second()).empty()) << "this node's term is of the old epoch";
  EXPECT_EQ(count(world->first().repairs.salvage(world->soon())), 1u);
  const auto leased = lease(world->first());
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_TRUE(leased[0].suspect);
}

TEST_P(QueueContract, OneNodeIsElectedUntilItDiesOrSignsOff) {
  EXPECT_TRUE(heartbeat(world->first(), 1h).leads);
  EXPECT_FALSE(heartbeat(world->second(), 1h).leads);
  ok(world->first().leases.sign_off(world->soon()));
  EXPECT_TRUE(heartbeat(world->second(), 20ms).leads);
  EXPECT_FALSE(heartbeat(world->first(), 1h).leads);
  world->pass(60ms);
  EXPECT_TRUE(heartbeat(world->first(), 1h).leads);
  EXPECT_FALSE(heartbeat(world->second(), 1h).leads);
}

TEST_P(QueueContract, HowFarTheLedgerWasSweptIsKeptWithTheQueue) {
  EXPECT_EQ(world->run(world->first().repairs.swept_until(world->soon())).value(), std::nullopt);
  ok(world->first().repairs.set_swept_until(started, world->soon()));
  EXPECT_EQ(world->run(world->second().repairs.swept_until(world->soon())).value(), started);
  EXPECT_EQ(heartbeat(world->second(), 1h).swept_until, started);
  world->empty();
  EXPECT_EQ(world->run(world->second().repairs.swept_until(world->soon())).value(), std::nullopt);
  EXPECT_EQ(heartbeat(world->second(), 1h).swept_until, std::nullopt);
}

}  // namespace
}  // namespace notify::contract
