#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;

struct AcceptTest : FlowTest {
  Node node{outside, "a", {.ledger = {.batch_max = 1, .flights_max = 1, .waiting_max = 2}}};

  Answer<Accepted> accept(rules::SendRequest request = good_request()) {
    return node.run(node.accept.accept(std::move(request)));
  }
};

TEST_F(AcceptTest, AnAcceptedNotificationIsCommittedAndQueued) {
  const auto answer = accept();
  ASSERT_TRUE(answer);
  const auto& stored = outside.table.rows.at(answer->id).record.notification;
  EXPECT_EQ(stored.title, "Dora");
  EXPECT_EQ(stored.created_at(), answer->created_at);
  EXPECT_EQ(stored.expires_at, answer->expires_at);
  outside.time.run_for(100ms);
  ASSERT_TRUE(outside.books.queued.contains(answer->id));
  EXPECT_EQ(outside.books.queued.at(answer->id).notification, stored);
  EXPECT_EQ(outside.books.queued.at(answer->id).due_at, answer->created_at);
  EXPECT_EQ(node.accepted, 1u);
}

TEST_F(AcceptTest, TheCommitComesBeforeTheAnswerAndTheQueueAfterIt) {
  const auto answer = accept();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(outside.table.rows.contains(answer->id));
  EXPECT_FALSE(outside.books.queued.contains(answer->id));
}

TEST_F(AcceptTest, WhatIsWrongIsRefusedWithEveryFieldAndNothingIsStored) {
  rules::SendRequest request = good_request();
  request.user_id = "alice";
  request.type = "";
  const auto answer = accept(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::invalid);
  EXPECT_EQ(answer.error().violations.size(), 2u);
  EXPECT_FALSE(answer.error().retry_after);
  outside.time.run_for(100ms);
  EXPECT_TRUE(outside.table.rows.empty());
  EXPECT_TRUE(outside.books.queued.empty());
  EXPECT_EQ(node.refused, (std::vector<Errc>{Errc::invalid}));
}

TEST_F(AcceptTest, AtTheBoundOfTheLedgerTheCallerIsToldWhenToComeBack) {
  std::vector<std::optional<Answer<Accepted>>> answers(5);
  for (auto& answer : answers) {
    node.background.spawn(async::store_result(node.accept.accept(good_request()), answer));
  }
  outside.time.run_for(1s);
  std::size_t refused = 0;
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer);
    if (*answer) continue;
    ++refused;
    EXPECT_EQ(answer->error().error.code, Errc::overloaded);
    EXPECT_EQ(answer->error().retry_after, 1s);
  }
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(outside.table.rows.size(), 5 - refused);
  EXPECT_EQ(outside.books.queued.size(), 5 - refused);
}

TEST_F(AcceptTest, ALedgerThatIsAwayIsARefusalWithADelay) {
  node.ledger.faults.append.fail(Errc::unavailable);
  const auto answer = accept();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::unavailable);
  EXPECT_EQ(answer.error().retry_after, 1s);
  EXPECT_EQ(node.refused, (std::vector<Errc>{Errc::unavailable}));
  outside.time.run_for(1s);
  EXPECT_TRUE(outside.books.queued.empty());
}

TEST_F(AcceptTest, AnAnswerThatWasLostIsNeitherAcceptedNorToBeRepeatedBlindly) {
  node.ledger.faults.append.lose_answers(1);
  const auto answer = accept();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::timed_out);
  EXPECT_FALSE(answer.error().retry_after);
}

TEST_F(AcceptTest, WithoutRedisTheAnswerIsStillOkAndTheEventSaysSo) {
  node.queue.faults.enqueue.fail(Errc::unavailable);
  ASSERT_TRUE(accept());
  outside.time.run_for(1s);
  EXPECT_EQ(node.accepted, 1u);
  EXPECT_EQ(node.not_queued, 1u);
  EXPECT_EQ(outside.table.rows.size(), 1u);
}

TEST_F(AcceptTest, StoppingWaitsUntilAllThatWasAcceptedIsQueued) {
  const auto answer = accept();
  ASSERT_TRUE(answer);
  node.run(node.accept.stop());
  EXPECT_TRUE(outside.books.queued.contains(answer->id));
}

TEST_F(AcceptTest, IdsRiseInTheOrderOfAcceptance) {
  const auto first = accept();
  const auto second = accept();
  ASSERT_TRUE(first && second);
  EXPECT_LT(first->id, second->id);
}

}  // namespace
}  // namespace notify::flows
