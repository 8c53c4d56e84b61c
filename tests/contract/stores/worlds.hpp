#pragma once
// What a contract test needs of the world it runs in: the ports, a clock, and a way to run
// coroutines. There is one world of fakes and virtual time, and one of real servers.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "fakes/samples.hpp"
#include "stores/backlog.hpp"
#include "stores/dead_letters.hpp"
#include "stores/history.hpp"
#include "stores/limiter.hpp"
#include "stores/queue.hpp"
#include "stores/shared_settings.hpp"
#include "stores/templates.hpp"
#include "stores/upkeep.hpp"

namespace notify::contract {

using namespace std::chrono_literals;

class World {
 public:
  virtual ~World() = default;
  [[nodiscard]] virtual async::Timers& timers() = 0;
  /// Runs the loop until `done`.
  virtual void drive(const std::function<bool()>& done) = 0;
  /// Lets so much time go by.
  virtual void pass(std::chrono::milliseconds time) = 0;

  [[nodiscard]] base::WallTime now() { return timers().clock().now(); }
  [[nodiscard]] base::Deadline soon() { return timers().after(10s); }

  template <class T>
  T run(async::Task<T> task) {
    std::optional<T> result;
    async::TaskGroup group(timers().executor(),
                           [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; });
    group.spawn(async::store_result(std::move(task), result));
    drive([&group] { return group.size() == 0; });
    return std::move(result.value());
  }

  /// Runs all of them at once.
  template <class T>
  std::vector<T> run_all(std::vector<async::Task<T>> tasks) {
    std::vector<std::optional<T>> results(tasks.size());
    async::TaskGroup group(timers().executor(),
                           [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; });
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      group.spawn(async::store_result(std::move(tasks[i]), results[i]));
    }
    drive([&group] { return group.size() == 0; });
    std::vector<T> values;
    for (std::optional<T>& result : results) values.push_back(std::move(result.value()));
    return values;
  }
};

/// An empty ledger.
class LedgerWorld : public virtual World {
 public:
  [[nodiscard]] virtual stores::Ledger& ledger() = 0;
  [[nodiscard]] virtual stores::History& history() = 0;
  [[nodiscard]] virtual stores::Backlog& backlog() = 0;
  [[nodiscard]] virtual stores::Upkeep& upkeep() = 0;
  [[nodiscard]] virtual stores::DeadLetters& dead_letters() = 0;
  [[nodiscard]] virtual stores::SettingsSource& settings() = 0;
  [[nodiscard]] virtual stores::SettingsRows& settings_rows() = 0;
  [[nodiscard]] virtual stores::Templates& templates() = 0;
  /// What the changes of templates left in the audit, in order: "actor action subject_type
  /// subject_id revision".
  [[nodiscard]] virtual std::vector<std::string> audited() = 0;
  /// Statements that were executed so far.
  [[nodiscard]] virtual std::size_t statements() = 0;
  /// The database's clock is so far ahead of ours from now on.
  virtual void set_clock_ahead(std::chrono::milliseconds ahead) = 0;
  /// From when an append has checked its rows until it is committed it takes so long from now on.
  virtual void set_commit_takes(std::chrono::milliseconds time) = 0;
  /// The history row of this notification can no longer be decoded.
  virtual void spoil(base::NotificationId id) = 0;
  /// Only its row in `due` is left of this notification.
  virtual void lose_history(base::NotificationId id) = 0;
};

/// Empty books, and two nodes.
class QueueWorld : public virtual World {
 public:
  struct Node {
    stores::Queue& queue;
    stores::Leases& leases;
    stores::Repairs& repairs;
  };
  [[nodiscard]] virtual Node first() = 0;
  [[nodiscard]] virtual Node second() = 0;
  [[nodiscard]] virtual stores::SettingsSharing& sharing() = 0;
  /// Into how many each priority's queue is divided.
  [[nodiscard]] virtual std::uint16_t shards() { return 1; }
  /// The server is emptied.
  virtual void empty() = 0;
  /// The epoch is as old as if it had begun an hour ago.
  virtual void age_epoch() = 0;
  /// The server is another one, with the same data: as after a restart.
  virtual void replace_server() = 0;
  /// The server is the same one, with the same data, but it was a replica meanwhile.
  virtual void fail_back() = 0;
};

/// Empty counters, and two nodes.
class LimiterWorld : public virtual World {
 public:
  [[nodiscard]] virtual stores::Limiter& first() = 0;
  [[nodiscard]] virtual stores::Limiter& second() = 0;
};

using MakeLedgerWorld = std::unique_ptr<LedgerWorld> (*)();
using MakeQueueWorld = std::unique_ptr<QueueWorld> (*)();
using MakeLimiterWorld = std::unique_ptr<LimiterWorld> (*)();
/// The ledger worlds of the program: fakes in one, real servers in the other.
[[nodiscard]] std::vector<MakeLedgerWorld> ledger_worlds();
[[nodiscard]] std::vector<MakeLimiterWorld> limiter_worlds();
[[nodiscard]] std::vector<MakeQueueWorld> queue_worlds();

class LedgerContract : public testing::TestWithParam<MakeLedgerWorld> {
 protected:
  /// A notification of this test, created `age` ago.
  rules::Notification sample(std::uint8_t n = 1, std::chrono::milliseconds age = 1s) {
    return fakes::sample_notification(started - age, n);
  }
  /// As when it was made: by a database whose clock stood there.
  void append(const rules::Notification& n) {
    const auto appended = append_all({fakes::submission(n)}, n.created_at());
    ASSERT_TRUE(appended.at(0)) << appended[0].error().detail;
  }
  std::vector<base::Expected<stores::Appended>> append_all(std::vector<stores::Submission> all,
                                                           base::WallTime database_now) {
    const auto ahead = database_now - world->now();
    const bool is_about_now = std::chrono::abs(ahead) < 3s;
    if (!is_about_now) world->set_clock_ahead(ahead);
    auto results = append_all(std::move(all));
    if (!is_about_now) world->set_clock_ahead(0ms);
    return results;
  }
  std::vector<base::Expected<stores::Appended>> append_all(std::vector<stores::Submission> all) {
    return world->run(world->ledger().append(std::move(all), {}));
  }
  void record(stores::DeliveryRecord record) {
    const auto written = world->run(world->ledger().record(std::move(record)));
    ASSERT_TRUE(written) << written.error().detail;
  }
  stores::Story story(base::NotificationId id) {
    auto found = world->run(world->history().find(id, world->soon()));
    EXPECT_TRUE(found) << (found ? "" : found.error().detail);
    return found ? std::move(*found) : stores::Story{};
  }
  /// The ids of pending(), page by page.
  std::vector<base::NotificationId> pending(std::int32_t page_size = 100) {
    return pages(&stores::Backlog::pending, page_size);
  }
  std::vector<base::NotificationId> due(std::int32_t page_size = 100) {
    return pages(&stores::Backlog::due, page_size);
  }

  std::unique_ptr<LedgerWorld> world = GetParam()();
  base::WallTime started = world->now();
  std::size_t unreadable = 0;  ///< rows that pages left out

 private:
  using ReadPage = async::Task<base::Expected<stores::BacklogRead>> (stores::Backlog::*)(
      stores::BacklogPage, base::Deadline);
  std::vector<base::NotificationId> pages(ReadPage read_page, std::int32_t page_size) {
    std::vector<base::NotificationId> ids;
    stores::BacklogPage page{{started - 24h, {}}, started + 24h, page_size};
    for (int i = 0; i < 1000; ++i) {
      const auto read = world->run((world->backlog().*read_page)(page, world->soon()));
      EXPECT_TRUE(read);
      if (!read) return ids;
      EXPECT_LE(read->items.size(), static_cast<std::size_t>(page_size));
      for (const auto& item : read->items) ids.push_back(item.notification.id);
      unreadable += read->unreadable;
      if (!read->next) return ids;
      page.after = *read->next;
    }
    ADD_FAILURE() << "the pages do not end";
    return ids;
  }
};

class QueueContract : public testing::TestWithParam<MakeQueueWorld> {
 protected:
  using Ids = std::vector<base::NotificationId>;
  static Ids ids_of(const std::vector<stores::Lease>& leases) {
    Ids ids;
    for (const stores::Lease& lease : leases) ids.push_back(lease.notification.id);
    return ids;
  }
  rules::Notification sample(std::uint8_t n = 1,
                             rules::Priority priority = rules::Priority::medium) {
    rules::Notification notification = fakes::sample_notification(started, n);
    notification.priority = priority;
    notification.user = fakes::sample_user(n % 100);
    return notification;
  }
  /// All of one user.
  rules::Notification alices(std::uint8_t n, rules::Priority priority = rules::Priority::medium) {
    rules::Notification notification = sample(n, priority);
    notification.user = fakes::sample_user();
    return notification;
  }
  stores::LeaseKey key(const rules::Notification& n) {
    return {n.priority, n.id, stores::shard_of(n.user, world->shards())};
  }
  void enqueue(const rules::Notification& n, std::chrono::milliseconds due_in = 0ms) {
    live(world->first());
    ASSERT_TRUE(world->run(fakes::enqueue_one(world->first().queue, {n, started + due_in})));
  }
  /// A node that the test has not made live or die lives.
  void live(QueueWorld::Node node) {
    if (!lives_.contains(&node.leases)) heartbeat(node);
  }
  std::vector<stores::Lease> lease(QueueWorld::Node node, std::size_t max = 64) {
    live(node);
    auto leased = world->run(node.queue.lease(max, world->soon()));
    EXPECT_TRUE(leased) << (leased ? "" : leased.error().detail);
    return leased ? std::move(*leased) : std::vector<stores::Lease>();
  }
  template <class T>
  void ok(async::Task<base::Expected<T>> task) {
    const auto done = world->run(std::move(task));
    ASSERT_TRUE(done) << done.error().detail;
  }
  std::size_t count(async::Task<base::Expected<std::size_t>> task) {
    const auto done = world->run(std::move(task));
    EXPECT_TRUE(done) << (done ? "" : done.error().detail);
    return done ? *done : 9999;
  }
  stores::Pulse heartbeat(QueueWorld::Node node, std::chrono::milliseconds ttl = 1h) {
    lives_.insert(&node.leases);
    const auto pulse = world->run(node.leases.heartbeat({ttl}, world->soon()));
    EXPECT_TRUE(pulse) << (pulse ? "" : pulse.error().detail);
    return pulse ? *pulse : stores::Pulse();
  }
  /// Both nodes live, and have for long.
  void settle() {
    heartbeat(world->first());
    heartbeat(world->second());
    world->age_epoch();
  }
  /// The first node dies: its heartbeat runs out. The other one lives.
  void die(QueueWorld::Node node) {
    heartbeat(world->second());
    heartbeat(node, 20ms);
    world->pass(60ms);
  }
  std::vector<stores::LeaseKey> mine(QueueWorld::Node node) {
    const auto keys = world->run(node.leases.mine(world->soon()));
    EXPECT_TRUE(keys);
    return keys ? *keys : std::vector<stores::LeaseKey>();
  }

  std::unique_ptr<QueueWorld> world = GetParam()();
  base::WallTime started = world->now();

 private:
  std::set<stores::Leases*> lives_;
};

}  // namespace notify::contract
