#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;

struct AcceptTest : FlowTest {
  Node node{outside, "a", {.ledger = {.batch_max = 1, .flights_max = 1, .waiting_max = 2}}};

  Answer<Accepted> accept(rules::SendRequest request = good_request()) {
    return node.run(accept_one(node.accept, std::move(request)));
  }
  std::vector<Answer<Accepted>> accept_all(std::vector<rules::SendRequest> requests,
                                           Caller caller = {}) {
    return node.run(node.accept.accept(std::move(requests), std::move(caller)));
  }
};

TEST_F(AcceptTest, AnAcceptedNotificationIsCommittedAndQueued) {
  const auto answer = accept();
  ASSERT_TRUE(answer);
  const auto& stored = outside.table.rows.at(answer->id).record.notification;
  EXPECT_EQ(stored.title, "Dora");
  EXPECT_EQ(stored.created_at(), answer->created_at());
  EXPECT_EQ(stored.expires_at, answer->expires_at);
  outside.time.run_for(100ms);
  ASSERT_TRUE(outside.books.queued.contains(answer->id));
  EXPECT_EQ(outside.books.queued.at(answer->id).notification, stored);
  EXPECT_GE(outside.books.queued.at(answer->id).due_at, answer->created_at());
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

TEST_F(AcceptTest, ACriticalTypeIsRefusedOfWhoIsNotNamedForItAndTheRestGoesIn) {
  Node strict(outside, "b",
              {.deciding = {.types = {.critical_callers = {"spiffe://w/auth-service"}}}});
  auto requests = good_requests(2);
  requests[0].type = "security";
  const auto send = [&](const char* identity) {
    return strict.run(strict.accept.accept(requests, {.identity = identity}));
  };
  const auto refused = send("spiffe://w/messaging-service");
  ASSERT_FALSE(refused[0]);
  EXPECT_EQ(refused[0].error().error.code, Errc::permission_denied);
  ASSERT_EQ(refused[0].error().violations.size(), 1u);
  EXPECT_EQ(refused[0].error().violations[0].field, "type");
  EXPECT_TRUE(refused[1]);
  EXPECT_EQ(strict.refused, (std::vector<Errc>{Errc::permission_denied}));
  EXPECT_EQ(outside.table.rows.size(), 1u);
  EXPECT_TRUE(send("spiffe://w/auth-service")[0]);
}

TEST_F(AcceptTest, AtTheBoundOfTheLedgerTheCallerIsToldWhenToComeBack) {
  std::vector<std::optional<Answer<Accepted>>> answers(5);
  const auto requests = good_requests(5);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    node.background.spawn(async::store_result(accept_one(node.accept, requests[i]), answers[i]));
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

/// Decision D-11.
TEST_F(AcceptTest, WithTheQueueAwayItGoesOnUpToABoundAndAgainWhenTheSweepHasCaughtUp) {
  Node bounded(outside, "b", {.unqueued_max = 3});
  bounded.heartbeat.start();
  const auto requests = good_requests(4);
  const auto accept = [&](std::size_t which) {
    return bounded.run(accept_one(bounded.accept, requests.at(which)));
  };
  outside.time.run_for(1s);
  bounded.queue.faults.enqueue.fail(Errc::unavailable);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(accept(i));
    outside.time.run_for(100ms);
  }
  const auto refused = accept(3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, Errc::overloaded);
  EXPECT_TRUE(refused.error().retry_after);
  EXPECT_EQ(outside.table.rows.size(), 3u);

  bounded.queue.faults.enqueue.clear();
  EXPECT_FALSE(accept(3)) << "Redis is back, and what it missed is not in it yet";
  outside.books.swept = outside.clock.now() + 1s;
  outside.time.run_for(2s);
  EXPECT_TRUE(accept(3));
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

TEST_F(AcceptTest, AnAnswerThatWasLostIsToldByTheSameRequestRepeated) {
  node.ledger.faults.append.lose_answers(1);
  const auto answer = accept();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::timed_out);
  EXPECT_FALSE(answer.error().retry_after);
  const auto again = accept();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_repeat);
  EXPECT_EQ(outside.table.rows.size(), 1u);
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
  const auto requests = good_requests(2);
  const auto first = accept(requests[0]);
  const auto second = accept(requests[1]);
  ASSERT_TRUE(first && second);
  EXPECT_LT(first->id, second->id);
}

TEST_F(AcceptTest, ARequestThatComesAgainIsAnsweredWithWhatBecameOfTheFirst) {
  const auto first = accept();
  ASSERT_TRUE(first);
  outside.time.run_for(1h);
  stores::DeliveryRecord record;
  record.notification = first->id;
  record.status = rules::Status::delivered;
  outside.table.record(record);
  const auto again = accept();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, first->id);
  EXPECT_EQ(again->expires_at, first->expires_at);
  EXPECT_EQ(again->status, rules::Status::delivered);
  EXPECT_TRUE(again->is_repeat);
  EXPECT_EQ(node.accepted, 1u);
  EXPECT_EQ(node.repeated, 1u);
  outside.time.run_for(1s);
  EXPECT_EQ(outside.books.queued.size(), 1u);
}

TEST_F(AcceptTest, AfterADayARequestIsANewOne) {
  const auto first = accept();
  outside.time.run_for(24h + 1s);
  const auto again = accept();
  ASSERT_TRUE(first && again);
  EXPECT_NE(again->id, first->id);
  EXPECT_FALSE(again->is_repeat);
}

TEST_F(AcceptTest, AKeyMakesDifferentTriesOneRequestAndEqualRequestsTwo) {
  rules::SendRequest request = good_request();
  request.idempotency_key = "order-1";
  const auto first = accept(request);
  const auto again = accept(request);
  request.idempotency_key = "order-2";
  const auto other = accept(request);
  ASSERT_TRUE(first && again && other);
  EXPECT_EQ(again->id, first->id);
  EXPECT_NE(other->id, first->id);
}

TEST_F(AcceptTest, AKeyUsedForAnotherRequestIsAClash) {
  rules::SendRequest request = good_request();
  request.idempotency_key = "order-1";
  ASSERT_TRUE(accept(request));
  request.body = "Something else";
  const auto clash = accept(request);
  ASSERT_FALSE(clash);
  EXPECT_EQ(clash.error().error.code, Errc::already_exists);
  EXPECT_EQ(outside.table.rows.size(), 1u);
}

TEST_F(AcceptTest, TheKeysOfTwoCallersAreTwoKeys) {
  const auto first = accept_all(good_requests(1), {"spiffe://a", "a"});
  const auto second = accept_all(good_requests(1), {"spiffe://b", "b"});
  ASSERT_TRUE(first[0] && second[0]);
  EXPECT_NE(first[0]->id, second[0]->id);
}

TEST_F(AcceptTest, ABadRequestAmongManyIsRefusedAlone) {
  Node roomy(outside, "roomy", {});
  auto requests = good_requests(3);
  requests[1].user_id = "alice";
  const auto answers = roomy.run(roomy.accept.accept(std::move(requests), {}));
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_TRUE(answers[0]);
  ASSERT_FALSE(answers[1]);
  EXPECT_EQ(answers[1].error().violations.at(0).field, "user_id");
  EXPECT_TRUE(answers[2]);
  EXPECT_EQ(outside.table.rows.size(), 2u);
}

TEST_F(AcceptTest, TheSameRequestTwiceInOneBatchIsOneNotification) {
  Node roomy(outside, "roomy", {});
  std::vector<rules::SendRequest> twice{good_request(), good_request()};
  const auto answers = roomy.run(roomy.accept.accept(std::move(twice), {}));
  ASSERT_TRUE(answers[0] && answers[1]);
  EXPECT_EQ(answers[0]->id, answers[1]->id);
  EXPECT_TRUE(answers[1]->is_repeat);
}

}  // namespace
}  // namespace notify::flows
