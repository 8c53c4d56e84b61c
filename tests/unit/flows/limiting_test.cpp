// Rate limits: who is over one is refused or suppressed, and only what is stored stays counted.

#include "base/text.hpp"
#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::LimitSubject;
using rules::LimitWindow;
using rules::OverLimit;

rules::LimitPolicy three_a_minute(OverLimit over = OverLimit::refuse) {
  return {{{LimitSubject::user, LimitWindow::minute, 3}}, over};
}

struct LimitingTest : FlowTest {
  Node refusing{outside, "a", {.rate_limits = three_a_minute()}};
  Node suppressing{outside, "b", {.rate_limits = three_a_minute(OverLimit::suppress)}};
  std::vector<rules::SendRequest> requests = good_requests(20);
  std::size_t next = 0;

  Answer<Accepted> accept(Node& node, Caller caller = {}) {
    std::vector<rules::SendRequest> alone{requests.at(next++)};
    return node.run(node.accept.accept(std::move(alone), std::move(caller))).front();
  }
  std::size_t accepted_of(const std::vector<Answer<Accepted>>& answers) {
    return static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(),
                                                  [](const auto& answer) { return bool{answer}; }));
  }
  std::vector<Answer<Accepted>> accept_all(Node& node, std::vector<rules::SendRequest> all) {
    return node.run(node.accept.accept(std::move(all), {}));
  }
};

TEST_F(LimitingTest, OverTheLimitACallerIsToldWhichWhatIsLeftAndWhenToComeBack) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(accept(refusing));
  outside.time.run_for(20s);
  const auto answer = accept(refusing);
  ASSERT_FALSE(answer);
  const Refusal& refusal = answer.error();
  EXPECT_EQ(refusal.error.code, Errc::overloaded);
  ASSERT_TRUE(refusal.limit);
  EXPECT_EQ(refusal.limit->limit, "user.1m");
  EXPECT_EQ(refusal.limit->subject, "user:" + kUserText);
  EXPECT_EQ(refusal.limit->allowed, 3);
  EXPECT_EQ(refusal.limit->left(), 0);
  ASSERT_TRUE(refusal.retry_after);
  EXPECT_GT(*refusal.retry_after, 35s);
  EXPECT_LE(*refusal.retry_after, 40s);
  EXPECT_EQ(outside.table.rows.size(), 3u);
  EXPECT_EQ(refusing.refused, (std::vector<Errc>{Errc::overloaded}));
  EXPECT_EQ(refusing.reached, (std::vector<std::string>{"user.1m"}));
  outside.time.run_for(*refusal.retry_after);
  EXPECT_TRUE(accept(refusing)) << "what it was told is right";
}

TEST_F(LimitingTest, OrItIsSuppressedAndTheRecordSaysWhy) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(accept(suppressing));
  const auto answer = accept(suppressing);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, rules::Status::suppressed);
  const auto& decision = outside.table.rows.at(answer->id).record.decisions.first;
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->by, "rate_limit");
  const std::string& input = decision->reasons.back().input;
  EXPECT_TRUE(input.starts_with("limit user.1m = 3, counted 3, left 0; its window ends at "))
      << input;
  EXPECT_EQ(input.find(kUserText), std::string::npos);
  outside.time.run_for(1s);
  EXPECT_FALSE(outside.books.queued.contains(answer->id));
}

TEST_F(LimitingTest, ABatchThatDoesNotFitGoesInAsFarAsItDoes) {
  const auto answers = accept_all(refusing, good_requests(5));
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(static_cast<bool>(answers[i]), i < 3) << i;
  EXPECT_EQ(outside.table.rows.size(), 3u);
}

TEST_F(LimitingTest, AConversationIsCountedForEachOfItsMembers) {
  Node node(outside, "c",
            {.rate_limits = {{{LimitSubject::conversation, LimitWindow::hour, 2}}, {}}});
  const std::string group = "c0000000-0000-4000-8000-000000000001";
  const std::string other = fakes::sample_user(2).to_string();
  for (auto& request : requests) request.conversation_id = group;
  for (std::size_t i = 2; i < 4; ++i) requests[i].user_id = other;
  requests[5].user_id = other;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(accept(node)) << i;
  EXPECT_FALSE(accept(node));
  EXPECT_FALSE(accept(node));
}

TEST_F(LimitingTest, NodesCountTogether) {
  ASSERT_TRUE(accept(refusing));
  ASSERT_TRUE(accept(suppressing));
  ASSERT_TRUE(accept(refusing));
  EXPECT_FALSE(accept(refusing));
  EXPECT_EQ(accept(suppressing)->status, rules::Status::suppressed);
}

TEST_F(LimitingTest, ARepeatDoesNotCount) {
  const std::vector<rules::SendRequest> same(3, requests[0]);
  for (const auto& answer : accept_all(refusing, same)) EXPECT_TRUE(answer);
  outside.time.run_for(1s);
  EXPECT_EQ(outside.limits.given_back, 2u);
  next = 1;
  EXPECT_TRUE(accept(refusing));
  EXPECT_TRUE(accept(refusing));
  EXPECT_FALSE(accept(refusing));
}

TEST_F(LimitingTest, WhoRepeatsWhatWasAcceptedIsToldSoAlsoOverTheLimit) {
  const auto first = accept(refusing);
  requests[5].idempotency_key = "order-1";
  next = 5;
  ASSERT_TRUE(accept(refusing));
  ASSERT_TRUE(accept(refusing));
  next = 0;
  const auto again = accept(refusing);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->id, first->id);
  EXPECT_TRUE(again->is_repeat);
  requests[10].idempotency_key = "order-1";
  next = 10;
  EXPECT_EQ(accept(refusing).error().error.code, Errc::already_exists);
  EXPECT_EQ(accept(refusing).error().error.code, Errc::overloaded);
  EXPECT_EQ(refusing.repeated, 1u);
}

TEST_F(LimitingTest, OverTheLimitNobodyIsRefusedWhileItIsNotKnownWhetherItIsARepeat) {
  const auto first = accept(refusing);
  ASSERT_TRUE(first && accept(refusing) && accept(refusing));
  for (const Errc code : {Errc::unavailable, Errc::timed_out}) {
    refusing.ledger.faults.append.fail(code);
    next = 0;
    EXPECT_EQ(accept(refusing).error().error.code, code);
    refusing.ledger.faults.append.clear();
    next = 0;
    EXPECT_EQ(accept(refusing)->id, first->id);
  }
  EXPECT_EQ(refusing.refused, (std::vector<Errc>{Errc::unavailable, Errc::timed_out}));
}

TEST_F(LimitingTest, WhatIsNotStoredDoesNotCount) {
  refusing.ledger.faults.append.fail(Errc::unavailable);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(accept(refusing).error().error.code, Errc::unavailable);
    outside.time.run_for(1s);
  }
  refusing.ledger.faults.append.clear();
  EXPECT_TRUE(accept(refusing));
}

TEST_F(LimitingTest, WhatMayHaveBeenStoredStaysCountedAndItsRepeatDoesNotCountAgain) {
  refusing.ledger.faults.append.lose_answers(1);
  EXPECT_EQ(accept(refusing).error().error.code, Errc::timed_out);
  next = 0;
  EXPECT_TRUE(accept(refusing)->is_repeat);
  outside.time.run_for(1s);
  EXPECT_TRUE(accept(refusing));
  EXPECT_TRUE(accept(refusing));
  EXPECT_FALSE(accept(refusing));
}

TEST_F(LimitingTest, WhatItsUserDoesNotWantDoesNotCount) {
  rules::UserColumns off;
  off.notifications_enabled = false;
  outside.settings.put(fakes::sample_user(), off);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(accept(refusing)->status, rules::Status::suppressed);
  EXPECT_EQ(outside.limits.taken, 0u);
}

TEST_F(LimitingTest, CriticalTypesAreNeitherStoppedNorCounted) {
  for (rules::SendRequest& request : requests) request.type = "security";
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(accept(refusing));
  EXPECT_EQ(outside.limits.taken, 0u);
  for (rules::SendRequest& request : requests) request.type = "message";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(accept(refusing));
  requests.at(next).type = "security";
  EXPECT_TRUE(accept(refusing));
}

TEST_F(LimitingTest, DecidingAgainBeforeEachTryDoesNotCount) {
  Node working(outside, "c", {.rate_limits = three_a_minute()});
  working.start();
  outside.time.run_for(2s);
  outside.apple.answer(phone, {outcome(rules::OutcomeKind::retry_later)});
  const auto answer = accept(working);
  ASSERT_TRUE(answer);
  outside.time.run_for(2min);
  EXPECT_GT(outside.apple.count(answer->id), 1u);
  EXPECT_EQ(outside.limits.taken, 1u);
}

TEST_F(LimitingTest, ACallerOverItsOwnLimitIsRefusedAlsoWhereUsersLimitsSuppress) {
  Node node(outside, "c",
            {.rate_limits = {{{LimitSubject::caller, LimitWindow::hour, 1},
                              {LimitSubject::ip, LimitWindow::minute, 2}},
                             OverLimit::suppress}});
  EXPECT_TRUE(accept(node, {"spiffe://a", "lane", "10.0.0.7"}));
  const auto of_caller = accept(node, {"spiffe://a", "lane", "10.0.0.7"});
  ASSERT_FALSE(of_caller);
  EXPECT_EQ(of_caller.error().limit->subject, "caller:spiffe://a");
  EXPECT_TRUE(accept(node, {"spiffe://b", "lane", "10.0.0.7"}));
  const auto of_address = accept(node, {"spiffe://c", "lane", "10.0.0.7"});
  ASSERT_FALSE(of_address);
  EXPECT_EQ(of_address.error().limit->limit, "ip.1m");
  EXPECT_TRUE(accept(node, {"spiffe://d", "lane", "10.0.0.8"}));
  EXPECT_TRUE(accept(node, {})) << "who is not known is not limited";
}

TEST_F(LimitingTest, ADeviceOverItsLimitIsTriedWhenItsWindowEnds) {
  Node node(outside, "c",
            {.limits = {.idle_poll = 500ms},
             .recover = {.sweep_interval = 1s},
             .rate_limits = {{{LimitSubject::device, LimitWindow::minute, 2}}}});
  node.start();
  outside.time.run_for(2s);
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(accept(node));
  outside.time.run_for(2s);
  EXPECT_EQ(outside.apple.received.size(), 4u);
  const auto over = accept(node);
  requests.at(next).type = "security";
  const auto critical = accept(node);
  ASSERT_TRUE(over && critical);
  outside.time.run_for(20s);
  EXPECT_EQ(outside.apple.count(over->id), 0u);
  EXPECT_EQ(outside.apple.count(critical->id), 2u) << "critical types pass";
  const auto& attempts = outside.table.rows.at(over->id).attempts;
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].status, rules::AttemptStatus::retry);
  EXPECT_EQ(attempts[0].error_code, "rate limit");
  EXPECT_EQ(node.reached, (std::vector<std::string>{"device.1m", "device.1m"}));
  outside.time.run_for(60s);
  EXPECT_EQ(outside.apple.count(over->id), 2u);
  EXPECT_EQ(outside.table.rows.at(over->id).record.status, rules::Status::delivered);
}

TEST_F(LimitingTest, WithRedisAwayEachNodeCountsForItself) {
  for (Errc error : {Errc::unavailable, Errc::timed_out}) {
    Node node(outside, "c", {.rate_limits = three_a_minute()});
    node.limiter.faults.take.fail(error);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(accept(node));
    const auto over = accept(node);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().limit->limit, "user.1m");
    EXPECT_EQ(node.counted_here, 4u);
    EXPECT_TRUE(node.step_failed("take"));
    node.limiter.faults.take.clear();
    outside.time.run_for(1s);
    EXPECT_TRUE(accept(node)) << "Redis has counted nothing";
    EXPECT_EQ(node.counted_here, 4u);
    outside.limits.counters.clear();
  }
}

TEST_F(LimitingTest, AFailureIsNotRepeatedWithEveryCall) {
  refusing.limiter.faults.take.fail(Errc::timed_out);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(accept(refusing));
  EXPECT_EQ(refusing.limiter.faults.take.strikes(), 1);
}

TEST_F(LimitingTest, WhatWasCountedHereIsGivenBackHere) {
  refusing.limiter.faults.take.fail(Errc::unavailable);
  const std::vector<rules::SendRequest> same(3, requests[0]);
  for (const auto& answer : accept_all(refusing, same)) EXPECT_TRUE(answer);
  outside.time.run_for(100ms);
  next = 1;
  EXPECT_TRUE(accept(refusing));
  EXPECT_TRUE(accept(refusing));
  EXPECT_FALSE(accept(refusing));
  EXPECT_EQ(outside.limits.given_back, 0u);
}

TEST_F(LimitingTest, WhatCannotBeGivenBackIsReported) {
  refusing.limiter.faults.give_back.fail(Errc::unavailable);
  const std::vector<rules::SendRequest> same(2, requests[0]);
  for (const auto& answer : accept_all(refusing, same)) EXPECT_TRUE(answer);
  outside.time.run_for(100ms);
  EXPECT_TRUE(refusing.step_failed("give_back"));
}

TEST(LocalLimits, AreBoundedAndThenLetPassWhatIsNew) {
  using std::chrono::milliseconds;
  stores::LocalLimits limits(2);
  const auto passes = [&limits](const std::string& name, milliseconds now) {
    return !limits.take({{name, 1, milliseconds(5'000), 0}}, now).reached;
  };
  EXPECT_TRUE(passes("a", 0ms));
  EXPECT_TRUE(passes("b", 0ms));
  EXPECT_TRUE(passes("c", 0ms));
  EXPECT_TRUE(passes("c", 1ms)) << "there is no room to count it";
  EXPECT_FALSE(passes("a", 1ms)) << "what is counted stays counted";
  EXPECT_TRUE(passes("c", 6'000ms));
  EXPECT_FALSE(passes("c", 6'001ms)) << "what had ended has made room";
}

}  // namespace
}  // namespace notify::flows
