// Bursts in a conversation: the first comes at once, then one for all others of each window.

#include "base/text.hpp"
#include "rules/settings_codec.hpp"
#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using rules::Status;

struct BurstsTest : FlowTest {
  static constexpr auto kWindow = 20s;
  Node node{
      outside,
      "a",
      {.limits = {.idle_poll = 100ms}, .recover = {.sweep_interval = 5s}, .burst_window = kWindow}};
  static constexpr std::string_view kConversation = "c0000000-0000-4000-8000-000000000001";
  std::vector<rules::SendRequest> requests = good_requests(40);
  std::size_t next = 0;

  BurstsTest() {
    rules::UserColumns columns;
    columns.preferences = R"({"group_bursts":true})";
    outside.settings.put(fakes::sample_user(), columns);
    node.start();
    outside.time.run_for(2s);
  }

  rules::SendRequest request() {
    rules::SendRequest request = requests.at(next++);
    request.conversation_id = kConversation;
    return request;
  }
  Accepted accept(rules::SendRequest request) {
    return node.run(accept_one(node.accept, std::move(request))).value();
  }
  Accepted accept() { return accept(request()); }
  const stores::HistoryRecord& record(const Accepted& one) {
    return outside.table.rows.at(one.id).record;
  }
  Status status(const Accepted& one) { return record(one).status; }
  std::size_t sends() { return outside.apple.received.size(); }
  std::size_t last_stood_for() { return outside.apple.received.back().style.stands_for; }
};

TEST_F(BurstsTest, TheFirstComesAtOnceAndTheNewestForAllOthersWhenTheWindowCloses) {
  const Accepted first = accept();
  outside.time.run_for(1s);
  EXPECT_EQ(status(first), Status::delivered);
  std::vector<Accepted> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(accept());
    EXPECT_EQ(others.back().status, Status::deferred);
    outside.time.run_for(2s);
  }
  EXPECT_EQ(record(others[0]).decisions.first->by, "burst");
  EXPECT_EQ(sends(), 1u);
  outside.time.run_for(kWindow);
  EXPECT_EQ(sends(), 2u);
  EXPECT_EQ(last_stood_for(), 3u);
  EXPECT_EQ(outside.apple.received.back().notification, others[2].id);
  EXPECT_EQ(status(others[0]), Status::superseded);
  EXPECT_EQ(status(others[1]), Status::superseded);
  EXPECT_EQ(status(others[2]), Status::delivered);
}

TEST_F(BurstsTest, WhatGoesOnIsHeardOnceInEachWindow) {
  for (int i = 0; i < 30; ++i) {
    accept();
    outside.time.run_for(2s);
  }
  outside.time.run_for(kWindow);
  // The first, and one at the end of each of three or four windows; one that comes between the end
  // of a window and the beginning of the next comes at once.
  EXPECT_GE(sends(), 4u);
  EXPECT_LE(sends(), 8u);
  for (const auto& [id, row] : outside.table.rows) {
    EXPECT_TRUE(rules::is_final(row.record.status)) << id.to_string();
  }
}

TEST_F(BurstsTest, OneThatWaitedAloneComesAsItIs) {
  accept();
  const Accepted alone = accept();
  EXPECT_EQ(alone.status, Status::deferred);
  outside.time.run_for(kWindow + 1s);
  EXPECT_EQ(status(alone), Status::delivered);
  EXPECT_EQ(last_stood_for(), 1u);
}

TEST_F(BurstsTest, ABatchIsABurst) {
  std::vector<rules::SendRequest> batch;
  for (int i = 0; i < 5; ++i) batch.push_back(request());
  const auto answers = node.run(node.accept.accept(std::move(batch), {}));
  EXPECT_EQ(answers[0]->status, Status::pending);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(answers[i]->status, Status::deferred);
  outside.time.run_for(kWindow + 1s);
  EXPECT_EQ(sends(), 2u);
  EXPECT_EQ(last_stood_for(), 4u);
}

TEST_F(BurstsTest, OtherConversationsMentionsCallsAndWhatEndsBeforeTheWindowComeAtOnce) {
  accept();
  const auto at_once = [this](rules::SendRequest other) {
    EXPECT_EQ(accept(std::move(other)).status, Status::pending);
  };
  rules::SendRequest other = request();
  other.conversation_id = "c0000000-0000-4000-8000-000000000002";
  at_once(other);
  other = request();
  other.conversation_id = {};
  at_once(other);
  other = request();
  other.mention = true;
  at_once(other);
  other = request();
  other.type = "call";
  at_once(other);
  other = request();
  other.expires_at = (now() + 5s).time_since_epoch();
  at_once(other);
}

TEST_F(BurstsTest, WhoDoesNotWantItHearsEach) {
  outside.settings.put(fakes::sample_user(), rules::UserColumns());
  outside.time.run_for(1s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(accept().status, Status::pending);
  EXPECT_EQ(outside.limits.taken, 0u) << "nothing is asked for them";
}

TEST_F(BurstsTest, RedisBeingAwayNobodyWaits) {
  node.limiter.faults.take.fail(base::Errc::unavailable);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(accept().status, Status::pending);
  EXPECT_TRUE(node.step_failed("join"));
}

TEST_F(BurstsTest, WhatWasNotStoredOpensNothing) {
  node.ledger.faults.append.fail(base::Errc::unavailable, 1);
  EXPECT_FALSE(node.run(accept_one(node.accept, request())));
  outside.time.run_for(1s);
  EXPECT_EQ(accept().status, Status::pending);
}

TEST_F(BurstsTest, WhatWaitsIsCancelledAndNotCounted) {
  accept();
  const Accepted taken_back = accept();
  const Accepted stays = accept();
  const auto cancelled = node.run(node.cancel.cancel(taken_back.id, node.loop.timers.after(5s)));
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->result, rules::CancelResult::cancelled);
  outside.time.run_for(kWindow + 1s);
  EXPECT_EQ(status(taken_back), Status::cancelled);
  EXPECT_EQ(status(stays), Status::delivered);
  EXPECT_EQ(last_stood_for(), 1u);
}

TEST_F(BurstsTest, WhatCameDuringQuietHoursComesAsOneOfEachConversation) {
  const auto clock = [](base::WallTime at) { return base::to_rfc3339(at).substr(11, 5); };
  rules::UserColumns columns;
  columns.quiet_hours = R"({"enabled":true,"timezone":"UTC","mode":"defer","start":")" +
                        clock(now() - 60min) + R"(","end":")" + clock(now() + 10min) + R"("})";
  columns.preferences = R"({"group_bursts":true})";
  outside.settings.put(fakes::sample_user(), columns);
  outside.time.run_for(1s);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(accept().status, Status::deferred);
  rules::SendRequest other = request();
  other.conversation_id = "c0000000-0000-4000-8000-000000000002";
  accept(other);
  outside.time.run_for(12min);
  ASSERT_EQ(sends(), 2u);
  EXPECT_EQ(outside.apple.received[0].style.stands_for + outside.apple.received[1].style.stands_for,
            5u);
}

}  // namespace
}  // namespace notify::flows
