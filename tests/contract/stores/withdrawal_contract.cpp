// What cancelling asks of the queue: a suspicion that nothing loses.

#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

TEST_P(QueueContract, WhatIsWithdrawnIsLeasedAsASuspect) {
  heartbeat(world->first());
  enqueue(sample());
  EXPECT_FALSE(world->run(world->first().repairs.withdraw(sample(), world->soon())).value());
  const auto leased = lease(world->first());
  ASSERT_EQ(leased.size(), 1u) << "it keeps its place";
  EXPECT_TRUE(leased[0].suspect);
  ok(world->first().queue.ack(key(sample())));
  EXPECT_TRUE(lease(world->first()).empty());
}

TEST_P(QueueContract, WhatIsLeasedIsSaidToBeAndStaysAsItIs) {
  heartbeat(world->first());
  heartbeat(world->second());
  enqueue(sample());
  ASSERT_EQ(lease(world->first()).size(), 1u);
  EXPECT_TRUE(world->run(world->second().repairs.withdraw(sample(), world->soon())).value());
  EXPECT_EQ(mine(world->first()).size(), 1u);
  ok(world->first().queue.ack(key(sample())));
  EXPECT_FALSE(world->run(world->second().repairs.withdraw(sample(), world->soon())).value());
}

TEST_P(QueueContract, WhatIsWithdrawnOnItsWayInIsASuspectWhenItComes) {
  heartbeat(world->first());
  EXPECT_FALSE(world->run(world->first().repairs.withdraw(sample(2), world->soon())).value());
  enqueue(sample(2));
  EXPECT_TRUE(lease(world->first()).empty()) << "it finds its place taken";
  rules::Notification n = sample();
  n.id = fakes::sample_notification(started - stores::kRecoverAfter + 1s, 1).id;
  EXPECT_FALSE(world->run(world->first().repairs.withdraw(n, world->soon())).value());
  EXPECT_TRUE(lease(world->first()).empty()) << "until it can come in no more";
  world->pass(1100ms);
  const auto leased = lease(world->first());
  ASSERT_EQ(ids_of(leased), (Ids{n.id}));
  EXPECT_TRUE(leased[0].suspect);
}

TEST_P(QueueContract, WhatIsTooOldToComeInIsNotPutInWhenItIsWithdrawn) {
  heartbeat(world->first());
  rules::Notification n = sample();
  n.id = fakes::sample_notification(started - stores::kRecoverAfter - 1s, 1).id;
  EXPECT_FALSE(world->run(world->first().repairs.withdraw(n, world->soon())).value());
  EXPECT_TRUE(lease(world->first()).empty());
}

TEST_P(QueueContract, InAnEpochThatNoHeartbeatHasSeenNothingIsWithdrawn) {
  heartbeat(world->first());
  enqueue(sample());
  world->empty();
  const auto told = world->run(world->first().repairs.withdraw(sample(), world->soon()));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, base::Errc::unavailable);
}

/// Found by the simulation: the queue was emptied between a withdrawal and the enqueue.
TEST_P(QueueContract, WhatMayBeOlderThanTheEpochItEntersIsASuspect) {
  heartbeat(world->first());
  enqueue(sample(1));
  world->empty();
  heartbeat(world->first());
  enqueue(sample(2));
  const auto young = lease(world->first());
  ASSERT_EQ(ids_of(young), (Ids{sample(2).id}));
  EXPECT_TRUE(young[0].suspect);
  world->age_epoch();
  enqueue(sample(3));
  const auto old = lease(world->first());
  ASSERT_EQ(ids_of(old), (Ids{sample(3).id}));
  EXPECT_FALSE(old[0].suspect);
}

}  // namespace
}  // namespace notify::contract
