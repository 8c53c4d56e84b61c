#pragma once
// Whole nodes on fakes: accept, deliver, heartbeat and recover of each on a loop of its own, and
// around them one ledger, one queue, one auth-service, one push service, and time that moves when
// told to.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "fakes/fake_device_directory.hpp"
#include "fakes/fake_ledger.hpp"
#include "fakes/fake_limiter.hpp"
#include "fakes/fake_provider.hpp"
#include "fakes/fake_queue.hpp"
#include "fakes/fake_settings.hpp"
#include "fakes/fake_time.hpp"
#include "fakes/fake_upkeep.hpp"
#include "fakes/fake_user_directory.hpp"
#include "flows/accept.hpp"
#include "flows/cancel.hpp"
#include "flows/deliver.hpp"
#include "flows/heartbeat.hpp"
#include "flows/recover.hpp"
#include "flows/retract.hpp"

namespace notify::fakes {

/// What the nodes share.
struct Outside {
  ManualClock clock;
  FakeTime time{clock};
  FakeLedgerTable table{&clock};
  FakeQueueBooks books;
  FakeOffice office;
  FakeDevices devices;
  FakeUsers users;
  FakePushService apple;
  FakeSettingsTable settings{{}, {}, &clock};
  FakeSharedTable shared_settings{{}, &clock};
  FakeLimits limits{clock};
};

struct NodeOptions {
  flows::DeliverLimits limits;
  flows::HeartbeatPolicy heartbeat;
  /// Hours of virtual time have many windows: few tests want all of them patrolled.
  flows::RecoverPolicy recover{.patrol_interval = std::chrono::minutes(1)};
  flows::CancelPolicy cancel;
  rules::RetryPolicy retry;
  rules::ExpiryPolicy expiry;
  std::chrono::milliseconds clock_ahead{0};
  async::BatcherLimits ledger;
  std::size_t unqueued_max = 200'000;
  stores::SettingsCacheOptions settings;
  flows::DecidingPolicy deciding;
  rules::LimitPolicy rate_limits;
  std::chrono::milliseconds burst_window{30'000};
  bool all_push_services = false;  ///< else APNs alone
  bool asks_user_service = false;
  bool known_when_down = true;
  /// Replaces the heartbeat's opinion, for tests that run without one.
  std::optional<bool> leases_are_ours;
};

class Node {
 public:
  Node(Outside& outside, const std::string& name, NodeOptions options)
      : outside_(outside),
        clock(outside.clock, options.clock_ahead),
        loop(clock),
        rng(std::hash<std::string>{}(name)),
        ids(clock, rng),
        ledger(outside.table, link, options.ledger),
        queue(outside.books, link, name),
        leases_ours(options.leases_are_ours),
        settings_cache(settings, shared_settings, loop.timers, options.settings, settings_events(),
                       no_escape()),
        known_users(user_directory, loop.timers, rng, known_users_options(options), no_escape()),
        deciding({settings_cache,
                  clock,
                  options.deciding,
                  {},
                  options.asks_user_service ? &known_users : nullptr}),
        limiting({limiter, loop.timers, options.rate_limits, limiting_events()}),
        bursts({limiter, loop.timers, options.burst_window, limiting_events().step_failed}),
        accept({ledger, queue, deciding, ids, options.expiry, accept_events(),
                [this] { deliver.wake(); }, [this] { return heartbeat.pulse().swept_until; },
                options.unqueued_max, nullptr, &limiting,
                [this](std::vector<stores::QueueItem> items) {
                  return recover.promote(std::move(items));
                },
                &bursts,
                [this](std::vector<base::NotificationId> overdue) {
                  return recover.recheck(std::move(overdue));
                },
                [this] { return clock_is_right(); }},
               clock, loop.timers.executor(), no_escape()),
        deliver({ledger, queue, devices, router, deciding, loop.timers, rng, options.retry,
                 options.limits, deliver_events(),
                 [this] {
                   if (leases_ours) return std::uint64_t{*leases_ours ? 1U : 0U};
                   return heartbeat.lease_term();
                 },
                 &limiting, &bursts},
                no_escape()),
        heartbeat({queue,
                   loop.timers,
                   options.heartbeat,
                   {recover_events().step_failed},
                   [this](std::uint64_t term) { return deliver.held(term); },
                   [this](base::NotificationId id) { return deliver.holds(id); },
                   [this] { return clock_is_right(); }},
                  no_escape()),
        recover({queue, ledger, upkeep, loop.timers, name, options.recover, recover_events(),
                 [this] { deliver.wake(); }, [this] { return heartbeat.pulse(); }},
                no_escape()),
        cancel({ledger,
                ledger,
                queue,
                loop.timers,
                options.cancel,
                {[](rules::CancelResult) {}, recover_events().step_failed},
                [this] { return heartbeat.pulse(); }}),
        retract({cancel, ledger, ledger, queue, ids, loop.timers, options.cancel.step_timeout,
                 recover_events().step_failed, [this] { deliver.wake(); }}) {
    router.add(provider);
    if (options.all_push_services) {
      router.add(fcm);
      router.add(web_push);
    }
    if (options.leases_are_ours) queue.live_for_ever();
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
    run(settings_cache.stop());
    run(known_users.stop());
    outside_.time.remove(loop);
  }

  void start() {
    deliver.start();
    keep_alive();
  }
  /// Everything but delivery.
  void keep_alive() {
    settings_cache.start();
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
      std::fputs("a task does not end\n", stderr);
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
    return [](std::string_view what) {
      std::fprintf(stderr, "escaped: %s\n", std::string(what).c_str());
      std::abort();
    };
  }
  flows::AcceptEvents accept_events() {
    return {.accepted = [this] { ++accepted; },
            .repeated = [this] { ++repeated; },
            .refused = [this](base::Errc code) { refused.push_back(code); },
            .not_queued = [this](std::size_t count) { not_queued += count; }};
  }
  flows::DeliverEvents deliver_events() {
    return {.sent = [this](const auto&, const rules::Outcome& o, auto) { sent.push_back(o.kind); },
            .left_out = [this](rules::LeftOut why) { left_out.push_back(why); },
            .braked = [this](std::string_view, bool is_on) { braked.push_back(is_on); },
            .broken = [this](std::string_view, bool is_open) { broken.push_back(is_open); },
            .finished = [this](rules::Status s, auto) { finished.push_back(s); },
            .step_failed = [this](std::string_view step,
                                  const base::Error&) { failed_steps.emplace_back(step); }};
  }
  flows::LimitingEvents limiting_events() {
    return {.reached = [this](const rules::Limit& limit) { reached.push_back(rules::name(limit)); },
            .counted_here = [this](std::size_t count) { counted_here += count; },
            .step_failed = [this](std::string_view step,
                                  const base::Error&) { failed_steps.emplace_back(step); }};
  }
  clients::KnownUsersOptions known_users_options(const NodeOptions& options) {
    clients::KnownUsersOptions known;
    known.known_when_down = options.known_when_down;
    known.on_answer = [](clients::StandingFrom) {};
    known.on_failure = [this](const base::Error&) { failed_steps.emplace_back("user"); };
    return known;
  }
  stores::SettingsCacheEvents settings_events() {
    return {.asked =
                [this](stores::SettingsFrom from) {
                  using enum stores::SettingsFrom;
                  ++(from == memory   ? settings_cached
                     : from == shared ? settings_shared
                                      : settings_read);
                },
            .step_failed = [this](std::string_view step,
                                  const base::Error&) { failed_steps.emplace_back(step); }};
  }
  flows::RecoverEvents recover_events() {
    return {.elected = [this] { ++elected; },
            .taken_over = [this](std::size_t n) { taken_over += n; },
            .readmitted = [this](std::size_t n) { readmitted += n; },
            .rebuilt = [this] { ++rebuilds; },
            .unreadable = [this](std::size_t n) { unreadable += n; },
            .step_failed = [this](std::string_view step,
                                  const base::Error&) { failed_steps.emplace_back(step); }};
  }
  /// As the comparison with the database's clock finds it (D-5).
  [[nodiscard]] bool clock_is_right() const {
    const auto ahead = clock.now() - outside_.clock.now();
    return std::max(ahead, -ahead) <= std::chrono::seconds(2);
  }
  [[nodiscard]] bool step_failed(std::string_view step) const {
    return std::find(failed_steps.begin(), failed_steps.end(), step) != failed_steps.end();
  }

 private:
  Outside& outside_;

 public:
  SkewedClock clock;
  FakeLoop loop;
  FakeLink link{loop.timers};
  base::SeededRng rng;
  base::UuidV7Generator ids;
  FakeLedger ledger;
  FakeQueue queue;
  FakeUpkeep upkeep{outside_.office, link};
  FakeDeviceDirectory devices{outside_.devices, link};
  FakeUserDirectory user_directory{outside_.users, link};
  FakeProvider provider{outside_.apple, link};
  FakeProvider fcm{outside_.apple, link, "fcm"};
  FakeProvider web_push{outside_.apple, link, "webpush"};
  providers::Router router;
  FakeSettings settings{outside_.settings, link};
  FakeSettingsSharing shared_settings{outside_.shared_settings, link};
  FakeLimiter limiter{outside_.limits, link};
  std::optional<bool> leases_ours;
  bool frozen = false;

  std::size_t accepted = 0;
  std::size_t repeated = 0;
  std::size_t not_queued = 0;
  std::vector<base::Errc> refused;
  std::vector<rules::OutcomeKind> sent;
  std::vector<rules::LeftOut> left_out;
  std::vector<bool> braked;
  std::vector<bool> broken;
  std::vector<rules::Status> finished;
  std::vector<std::string> failed_steps;
  std::size_t taken_over = 0;
  std::size_t readmitted = 0;
  std::size_t elected = 0;
  std::size_t rebuilds = 0;
  std::size_t unreadable = 0;
  std::size_t settings_cached = 0;
  std::size_t settings_shared = 0;
  std::size_t settings_read = 0;
  std::vector<std::string> reached;  ///< the limits
  std::size_t counted_here = 0;

  stores::SettingsCache settings_cache;
  clients::KnownUsers known_users;
  flows::Deciding deciding;
  flows::Limiting limiting;
  flows::Bursts bursts;
  flows::Accept accept;
  flows::Deliver deliver;
  flows::Heartbeat heartbeat;
  flows::Recover recover;
  flows::Cancel cancel;
  flows::Retract retract;
  async::TaskGroup background{loop.timers.executor(), no_escape()};
};

}  // namespace notify::fakes
