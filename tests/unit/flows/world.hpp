#pragma once
// What the tests of the flows share: whole nodes on fakes, and notifications for them.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "fakes/node.hpp"
#include "fakes/samples.hpp"

namespace notify::flows {

using fakes::Node;
using fakes::NodeOptions;
using fakes::Outside;

using namespace std::chrono_literals;

inline const std::string kUserText = fakes::sample_user().to_string();

inline rules::SendRequest good_request() {
  rules::SendRequest request;
  request.user_id = kUserText;
  request.type = "message";
  request.title = "Dora";
  request.body = "Are you coming?";
  return request;
}

/// As many requests as were asked for, each of another message.
inline std::vector<rules::SendRequest> good_requests(std::size_t count) {
  static const std::vector<std::string> kMessages = [] {
    std::vector<std::string> ids;
    for (std::uint8_t i = 0; i < 100; ++i) {
      ids.push_back(
          base::uuid_v7_from(base::WallTime(), {0, 0, 0, 0, 0, 0, 0, 0, 2, i}).to_string());
    }
    return ids;
  }();
  std::vector<rules::SendRequest> requests;
  for (std::size_t i = 0; i < count; ++i) {
    requests.push_back(good_request());
    requests.back().message_id = kMessages.at(i);
  }
  return requests;
}

inline async::Task<Answer<Accepted>> accept_one(Accept& accept, rules::SendRequest request) {
  std::vector<rules::SendRequest> alone;
  alone.push_back(request);
  auto answers = co_await accept.accept(std::move(alone), {});
  co_return std::move(answers.front());
}

struct FlowTest : testing::Test {
  Outside outside;
  rules::Device phone = fakes::sample_device(1);
  rules::Device tablet = fakes::sample_device(2);

  FlowTest() {
    outside.devices.of_user[fakes::sample_user()] = {phone};
    // The queue is that of a service that has been at work for long.
    outside.books.begin_whole_epoch();
  }

  [[nodiscard]] base::WallTime now() const { return outside.clock.now(); }

  /// A notification that is committed and queued; `n` makes its id.
  rules::Notification queued(std::uint8_t n = 1, base::UserId user = fakes::sample_user()) {
    rules::Notification notification = committed(n, user);
    outside.books.queued[notification.id] = {notification, now()};
    return notification;
  }
  rules::Notification committed(std::uint8_t n = 1, base::UserId user = fakes::sample_user()) {
    rules::Notification notification = fakes::sample_notification(now(), n);
    notification.user = user;
    outside.table.append(notification);
    return notification;
  }
  const fakes::FakeLedgerTable::Row& row(const rules::Notification& n) {
    return outside.table.rows.at(n.id);
  }
  rules::Status status(const rules::Notification& n) { return row(n).record.status; }
  bool in_books(const rules::Notification& n) {
    return outside.books.queued.contains(n.id) || outside.books.is_leased(n.id);
  }
  /// Until nothing is queued or leased any more.
  bool run_until_idle(std::chrono::milliseconds limit = 3h) {
    return outside.time.run_until(
        [this] {
          const auto& leased = outside.books.leased;
          return outside.books.queued.empty() &&
                 std::all_of(leased.begin(), leased.end(),
                             [](const auto& node) { return node.second.empty(); });
        },
        limit);
  }
};

/// A node that a test starts when it wants to, and another one for later.
struct TwoNodesTest : FlowTest {
  std::unique_ptr<Node> a = std::make_unique<Node>(outside, "a", NodeOptions{});
  std::unique_ptr<Node> b;

  void TearDown() override {
    a.reset();
    b.reset();
  }
  void start_b() {
    b = std::make_unique<Node>(outside, "b", NodeOptions{});
    b->start();
  }
  /// Both at work, and a notification that `a` has sent while the provider keeps its answer.
  rules::Notification sent_by_a_and_unanswered() {
    a->start();
    start_b();
    outside.time.run_for(2s);
    b->leases_ours = false;
    outside.apple.holds_answers = true;
    const rules::Notification n = queued();
    EXPECT_TRUE(outside.time.run_until([&] { return outside.apple.count(n.id) == 1; }, 5s));
    b->leases_ours.reset();
    return n;
  }
};

inline rules::Outcome outcome(rules::OutcomeKind kind, std::string code = "code") {
  return {.kind = kind, .code = std::move(code), .message = "a message"};
}

}  // namespace notify::flows
