#pragma once
// Whole nodes on fakes: accept, deliver and recover of each on a loop of its own, and around them
// one ledger, one queue, one auth-service, one push service, and time that moves when told to.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "fakes/fake_device_directory.hpp"
#include "fakes/fake_ledger.hpp"
#include "fakes/fake_provider.hpp"
#include "fakes/fake_queue.hpp"
#include "fakes/fake_time.hpp"
#include "fakes/fake_upkeep.hpp"
#include "fakes/samples.hpp"
#include "flows/accept.hpp"
#include "flows/deliver.hpp"
#include "flows/heartbeat.hpp"
#include "flows/recover.hpp"

namespace notify::flows {

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

/// What the nodes share.
struct Outside {
  fakes::ManualClock clock;
  fakes::FakeTime time{clock};
  fakes::FakeLedgerTable table;
  fakes::FakeQueueBooks books;
  fakes::FakeOffice office;
  fakes::FakeDevices devices;
  fakes::FakePushService apple;
};

struct NodeOptions {
  DeliverLimits limits;
  HeartbeatPolicy heartbeat;
  RecoverPolicy recover;
  rules::RetryPolicy retry;
  async::BatcherLimits ledger;
  /// Replaces the heartbeat's opinion, for tests that run without one.
  std::optional<bool> leases_are_ours;
};

class Node {
 public:
  Node(Outside& outside, const std::string& name, NodeOptions options)
      : outside_(outside),
        loop(outside.clock),
        rng(std::hash<std::string>{}(name)),
        ids(outside.clock, rng),
        ledger(outside.table, link, options.ledger),
        queue(outside.books, link, name),
        leases_ours(options.leases_are_ours),
        accept({ledger, queue, ids, {}, accept_events(), [this] { deliver.wake(); }},
               loop.timers.executor(), no_escape()),
        deliver({ledger, queue, devices, provider, loop.timers, rng, options.retry, options.limits,
                 deliver_events(),
                 [this] { return leases_ours.value_or(heartbeat.leases_are_ours()); }},
                no_escape()),
        heartbeat({queue,
                   loop.timers,
                   options.heartbeat,
                   {recover_events().step_failed},
                   [this] { return deliver.held(); },
                   [this](base::NotificationId id) { return deliver.holds(id); }},
                  no_escape()),
        recover({queue, ledger, upkeep, loop.timers, name, options.recover, recover_events(),
                 [this] { deliver.wake(); }, [this] { return heartbeat.pulse(); }},
                no_escape()) {
    outside_.time.add(loop);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// A frozen node is thawed, without the world, so that its coroutines can come to an end.
  ~Node() {
    link.is_cut = true;
    if (frozen) outside_.time.add(loop);
    run(background.stop());
    run(accept.stop());
    run(deliver.stop());
    run(recover.stop());
    run(heartbeat.stop());
    run(ledger.stop());
    outside_.time.remove(loop);
  }

  void start() {
    deliver.start();
    keep_alive();
  }
  /// Everything but delivery.
  void keep_alive() {
    heartbeat.start();
    recover.start();
  }
  /// As SIGSTOP, or as a death: nobody outside can tell.
  void freeze() {
    frozen = true;
    outside_.time.remove(loop);
  }
  void thaw() {
    frozen = false;
    outside_.time.add(loop);
  }

  void run(async::Task<void> task) {
    async::TaskGroup group(loop.timers.executor(), no_escape());
    group.spawn(std::move(task));
    if (!outside_.time.run_until([&group] { return group.size() == 0; })) {
      ADD_FAILURE() << "it does not end";
      std::abort();  // its frame refers to ours
    }
  }
  template <class T>
  T run(async::Task<T> task) {
    std::optional<T> result;
    run(async::store_result(std::move(task), result));
    return std::move(result.value());
  }

  static async::OnEscape no_escape() {
    return [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; };
  }
  AcceptEvents accept_events() {
    return {.accepted = [this] { ++accepted; },
            .repeated = [this] { ++repeated; },
            .refused = [this](base::Errc code) { refused.push_back(code); },
            .not_queued = [this](std::size_t count) { not_queued += count; }};
  }
  DeliverEvents deliver_events() {
    return {.sent = [this](const rules::Outcome& o, auto) { sent.push_back(o.kind); },
            .finished = [this](rules::Status s, auto) { finished.push_back(s); },
            .step_failed = [this](std::string_view step,
                                  const base::Error&) { failed_steps.emplace_back(step); }};
  }
  RecoverEvents recover_events() {
    return {.elected = [this] { ++elected; },
            .taken_over = [this](std::size_t n) { taken_over += n; },
            .readmitted = [this](std::size_t n) { readmitted += n; },
            .rebuilt = [this] { ++rebuilds; },
            .step_failed = [this](std::string_view step,
                                  const base::Error&) { failed_steps.emplace_back(step); }};
  }
  [[nodiscard]] bool step_failed(std::string_view step) const {
    return std::find(failed_steps.begin(), failed_steps.end(), step) != failed_steps.end();
  }

 private:
  Outside& outside_;

 public:
  fakes::FakeLoop loop;
  fakes::FakeLink link{loop.timers};
  base::SeededRng rng;
  base::UuidV7Generator ids;
  fakes::FakeLedger ledger;
  fakes::FakeQueue queue;
  fakes::FakeUpkeep upkeep{outside_.office, link};
  fakes::FakeDeviceDirectory devices{outside_.devices, link};
  fakes::FakeProvider provider{outside_.apple, link};
  std::optional<bool> leases_ours;
  bool frozen = false;

  std::size_t accepted = 0;
  std::size_t repeated = 0;
  std::size_t not_queued = 0;
  std::vector<base::Errc> refused;
  std::vector<rules::OutcomeKind> sent;
  std::vector<rules::Status> finished;
  std::vector<std::string> failed_steps;
  std::size_t taken_over = 0;
  std::size_t readmitted = 0;
  std::size_t elected = 0;
  std::size_t rebuilds = 0;

  Accept accept;
  Deliver deliver;
  Heartbeat heartbeat;
  Recover recover;
  async::TaskGroup background{loop.timers.executor(), no_escape()};
};

struct FlowTest : testing::Test {
  Outside outside;
  rules::Device phone = fakes::sample_device(1);
  rules::Device tablet = fakes::sample_device(2);

  FlowTest() {
    outside.devices.of_user[fakes::sample_user()] = {phone};
    // The queue is that of a service that has been at work for long.
    outside.books.epoch = {++outside.books.epochs_begun, outside.books.run, {}, true};
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

inline rules::Outcome outcome(rules::OutcomeKind kind, std::string code = "code") {
  return {.kind = kind, .code = std::move(code), .message = "a message"};
}

}  // namespace notify::flows
