#pragma once
// The queue and its leases in memory. Nodes share the books; each has a FakeQueue of its own, so
// that one can die and another take over. It keeps the contract of tests/contract.

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "fakes/fake_link.hpp"
#include "stores/lease_shares.hpp"
#include "stores/queue.hpp"

namespace notify::fakes {

/// What stands in the queue's books: all that a server can lose, or go back in.
struct FakeQueueData {
  std::map<base::NotificationId, stores::QueueItem> queued;
  std::map<std::string, std::map<base::NotificationId, rules::Notification>> leased;
  std::set<base::NotificationId> suspects;
  std::map<base::NotificationId, stores::QueueItem> old;  ///< queued in an older epoch
  struct Registered {
    base::SteadyTime until;  ///< when its time runs out
    std::uint64_t term = 0;  ///< 0: over
  };
  std::map<std::string, Registered> register_;
  std::pair<std::string, base::SteadyTime> elected;  ///< and when that runs out
  std::optional<base::WallTime> swept;
  struct Epoch {
    std::uint64_t id = 0;  ///< 0: none
    int run = 0;
    int replid = 0;
    base::SteadyTime since;
    base::WallTime began;  ///< the same, by the server's clock
    bool whole = false;
    base::WallTime beat;  ///< the last one
    std::optional<base::WallTime> lost_since;
    std::optional<stores::Rebuilt> rebuilt;
  } epoch;
  base::SteadyTime last_beat;  ///< the keys live for a day after it
};

/// The server.
struct FakeQueueBooks : FakeQueueData {
  int run = 1;     ///< of the server; with each, connections are made anew
  int replid = 1;  ///< changes when the server becomes a primary again; connections stay
  std::uint64_t epochs_begun = 0;
  std::uint64_t last_term = 0;         ///< terms only grow, whatever the server loses
  const base::Clock* clock = nullptr;  ///< the server's; unset: as that of whoever asks

  [[nodiscard]] bool is_leased(base::NotificationId id) const {
    return std::any_of(leased.begin(), leased.end(),
                       [id](const auto& node) { return node.second.contains(id); });
  }
  /// As of a service that has been at work for long.
  void begin_whole_epoch() {
    epoch = {};
    epoch.id = ++epochs_begun;
    epoch.run = run;
    epoch.replid = replid;
    epoch.whole = true;
  }
  /// As if the epoch had begun an hour ago.
  void age_epoch() { epoch.began -= std::chrono::hours(1); }
  /// FLUSHALL: the server and its connections live on.
  void empty() { static_cast<FakeQueueData&>(*this) = {}; }
  /// As a server that is killed and comes back with what it had at some time before.
  void restart_with(FakeQueueData data) {
    static_cast<FakeQueueData&>(*this) = std::move(data);
    ++run;
  }
  /// As a primary that was demoted, synchronised with a replica that lacked the last writes, and
  /// promoted again.
  void fail_back_with(FakeQueueData data) {
    static_cast<FakeQueueData&>(*this) = std::move(data);
    ++replid;
  }
  [[nodiscard]] bool is_server_of_epoch() const {
    return epoch.run == run && epoch.replid == replid;
  }
};

/// Lifetime: `books` and `link` outlive this.
class FakeQueue final : public stores::Queue, public stores::Leases, public stores::Repairs {
 public:
  struct Faults {
    FakeFault enqueue;
    FakeFault lease;
    FakeFault ack;
    FakeFault postpone;
    FakeFault heartbeat;
    FakeFault leases;  ///< claim, mine, give back, sign off, and all repairs

    [[nodiscard]] std::array<FakeFault*, 6> all() {
      return {&enqueue, &lease, &ack, &postpone, &heartbeat, &leases};
    }
  };
  Faults faults;

  FakeQueue(FakeQueueBooks& books, FakeLink& link, std::string node)
      : books_(books), link_(link), node_(std::move(node)), known_run_(books.run) {}

  /// For tests without heartbeats: this node lives for ever.
  void live_for_ever() {
    known_term_ = ++books_.last_term;
    books_.register_[node_] = {base::SteadyTime::max(), known_term_};
  }

  [[nodiscard]] async::Task<std::vector<base::Expected<async::Unit>>> enqueue(
      std::vector<stores::QueueItem> items) override {
    using Results = std::vector<base::Expected<async::Unit>>;
    const auto done = co_await link_.travel(faults.enqueue, [this, &items] {
      Results results;
      for (const stores::QueueItem& item : items) {
        if (now() > item.notification.created_at() + stores::kEnqueueWithin) {
          results.push_back(base::fail(base::Errc::timed_out, "too old to be queued"));
          continue;
        }
        const bool at_once = item.due_at == item.notification.created_at();
        const base::WallTime due_at = at_once ? server_now() : item.due_at;
        if (may_be_older_than_epoch(item.notification)) {
          books_.suspects.insert(item.notification.id);
        }
        if (books_.queued
                .emplace(item.notification.id, stores::QueueItem{item.notification, due_at})
                .second) {
          note(Journal::Kind::entered, item.notification.id);
        }
        results.push_back(async::Unit{});
      }
      return base::Expected<Results>(std::move(results));
    });
    co_return done ? *done : Results(items.size(), base::fail(done.error()));
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::Lease>>> lease(
      std::size_t max, base::Deadline) override {
    return link_.travel(faults.lease, [this, max] {
      std::vector<stores::Lease> leases;
      if (known_run_ != books_.run || !may_act()) {
        return base::Expected<std::vector<stores::Lease>>(leases);
      }
      using enum stores::LeaseDemand;
      const auto shares = stores::lease_shares(max, {hungry, hungry, hungry}, turn_++);
      for (const rules::Priority priority : rules::kPriorities) {
        take(leases, priority, shares[static_cast<std::size_t>(priority)]);
      }
      for (const rules::Priority priority : rules::kPriorities) {
        take(leases, priority, max - leases.size());
      }
      return base::Expected<std::vector<stores::Lease>>(std::move(leases));
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> ack(stores::LeaseKey key) override {
    return link_.travel(faults.ack, [this, key] {
      // A lease that is somebody else's by now is not ours to give up.
      if (mine_now().erase(key.notification) > 0 && !books_.queued.contains(key.notification)) {
        books_.suspects.erase(key.notification);
      }
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> postpone(stores::LeaseKey key,
                                                           base::WallTime due_at) override {
    return link_.travel(faults.postpone, [this, key, due_at] {
      if (put_back(node_, key.notification, due_at)) {
        note(Journal::Kind::postponed, key.notification);
      }
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::Pulse>> heartbeat(stores::LifeSign sign,
                                                                     base::Deadline) override {
    const auto ttl = sign.lives_for;
    const auto seen = co_await link_.travel(faults.heartbeat, [this, ttl, sign] {
      if (steady_now() >= books_.last_beat + std::chrono::hours(24)) books_.empty();
      if (!books_.is_server_of_epoch()) begin_epoch(ttl);
      const std::uint64_t term = beat(ttl);
      auto& [leader, until] = books_.elected;
      if (!sign.may_lead) {
        if (leader == node_) leader.clear();
      } else if (leader.empty() || leader == node_ || steady_now() >= until) {
        leader = node_;
        until = steady_now() + ttl;
      }
      using enum stores::Epoch;
      const bool is_young = steady_now() < books_.epoch.since + ttl;
      stores::Pulse pulse;
      pulse.epoch = books_.epoch.whole ? whole : is_young ? young : gappy;
      pulse.leads = leader == node_;
      pulse.swept_until = books_.swept;
      pulse.lost_since = books_.epoch.lost_since;
      pulse.rebuilt = books_.epoch.rebuilt;
      return base::Expected<Seen>({books_.run, books_.epoch.id, term, pulse});
    });
    if (!seen) co_return base::fail(seen.error());
    // What a node knows it knows when the answer has come.
    known_run_ = seen->run;
    const bool epoch_is_new = std::exchange(known_epoch_, seen->epoch) != seen->epoch;
    const bool term_is_new = std::exchange(known_term_, seen->term) != seen->term;
    if (epoch_is_new) ++epoch_number_;
    if (term_number_ == 0 || (term_is_new && !epoch_is_new)) ++term_number_;
    young_for_ = ttl;
    stores::Pulse pulse = seen->pulse;
    pulse.epoch_number = epoch_number_;
    pulse.term = term_number_;
    co_return pulse;
  }

  [[nodiscard]] async::Task<base::Expected<void>> claim(std::vector<stores::Lease> held,
                                                        base::Deadline) override {
    if (held.empty()) co_return base::Expected<void>();
    co_return co_await link_.travel(
        faults.leases,
        [this, held = std::move(held), epoch = known_epoch_]() -> base::Expected<void> {
          const bool is_young = steady_now() < books_.epoch.since + young_for_;
          if (epoch != books_.epoch.id || !may_act() || !is_young) {
            return base::fail(base::Errc::conflict, "it is too late to claim leases");
          }
          for (const stores::Lease& lease : held) {
            mine_now().emplace(lease.notification.id, lease.notification);
          }
          return {};
        });
  }

  [[nodiscard]] async::Task<base::Expected<void>> sign_off(base::Deadline) override {
    return link_.travel(faults.leases, [this] {
      put_all_back(node_);
      books_.register_.erase(node_);
      if (books_.elected.first == node_) books_.elected = {};
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::size_t>> take_over_dead(base::Deadline) override {
    return repair([this] {
      std::size_t taken = 0;
      for (auto entry = books_.register_.begin(); entry != books_.register_.end();) {
        const auto& [node, registered] = *entry;
        if (node == node_ || steady_now() < registered.until) {
          ++entry;
          continue;
        }
        taken += put_all_back(node);
        entry = books_.register_.erase(entry);
      }
      return base::Expected<std::size_t>(taken);
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::LeaseKey>>> mine(
      base::Deadline) override {
    return link_.travel(faults.leases, [this] {
      std::vector<stores::LeaseKey> keys;
      for (const auto& [id, n] : mine_now()) keys.push_back({n.priority, id, 0});
      return base::Expected<std::vector<stores::LeaseKey>>(std::move(keys));
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> give_back(stores::LeaseKey key,
                                                            base::Deadline) override {
    return link_.travel(faults.leases, [this, key] {
      if (put_back(node_, key.notification, key.notification.uuid().instant())) {
        note(Journal::Kind::put_back, key.notification);
      }
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::size_t>> salvage(base::Deadline) override {
    return repair([this] {
      std::size_t moved = 0;
      for (const auto& [id, item] : std::exchange(books_.old, {})) {
        if (books_.is_leased(id)) continue;
        books_.suspects.insert(id);
        books_.queued.emplace(id, item);
        note(Journal::Kind::put_back, id);
        ++moved;
      }
      return base::Expected<std::size_t>(moved);
    });
  }

  [[nodiscard]] async::Task<base::Expected<bool>> withdraw(rules::Notification n,
                                                           base::Deadline) override {
    const auto leased = co_await repair([this, n = std::move(n)] {
      if (books_.is_leased(n.id)) return base::Expected<std::size_t>(1);
      const base::WallTime enters_until = n.created_at() + stores::kRecoverAfter;
      if (server_now() < enters_until)
        books_.queued.emplace(n.id, stores::QueueItem{n, enters_until});
      if (books_.queued.contains(n.id)) books_.suspects.insert(n.id);
      return base::Expected<std::size_t>(0);
    });
    if (!leased) co_return base::fail(leased.error());
    co_return *leased == 1;
  }

  [[nodiscard]] async::Task<base::Expected<void>> set_whole(std::uint64_t epoch_number,
                                                            base::Deadline) override {
    return link_.travel(faults.leases, [this, epoch_number] {
      const bool is_this_one = epoch_number == epoch_number_ && books_.epoch.id == known_epoch_;
      if (is_this_one) books_.epoch.whole = true;
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> set_rebuilt(std::uint64_t epoch_number,
                                                              stores::Rebuilt rebuilt,
                                                              base::Deadline) override {
    return link_.travel(faults.leases, [this, epoch_number, rebuilt] {
      const bool is_this_one = epoch_number == epoch_number_ && books_.epoch.id == known_epoch_;
      if (is_this_one) books_.epoch.rebuilt = rebuilt;
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::optional<base::WallTime>>> swept_until(
      base::Deadline) override {
    return link_.travel(faults.leases, [this] {
      return base::Expected<std::optional<base::WallTime>>(books_.swept);
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> set_swept_until(base::WallTime until,
                                                                  base::Deadline) override {
    return link_.travel(faults.leases, [this, until] {
      books_.swept = until;
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::size_t>> readmit(
      std::vector<stores::QueueItem> items, base::Deadline) override {
    return repair([this, items = std::move(items)] {
      std::size_t added = 0;
      for (const stores::QueueItem& item : items) {
        const base::NotificationId id = item.notification.id;
        if (books_.is_leased(id) || !books_.queued.emplace(id, item).second) continue;
        books_.suspects.insert(id);
        note(Journal::Kind::put_back, id);
        ++added;
      }
      return base::Expected<std::size_t>(added);
    });
  }

 private:
  [[nodiscard]] base::WallTime now() const { return link_.timers.clock().now(); }
  [[nodiscard]] base::WallTime server_now() const {
    return books_.clock != nullptr ? books_.clock->now() : now();
  }
  [[nodiscard]] base::SteadyTime steady_now() const { return link_.timers.clock().steady_now(); }
  [[nodiscard]] std::map<base::NotificationId, rules::Notification>& mine_now() {
    return books_.leased[node_];
  }

  [[nodiscard]] bool may_be_older_than_epoch(const rules::Notification& n) const {
    constexpr auto kClocksDiffer = stores::kRecoverAfter - stores::kEnqueueWithin;
    return books_.epoch.id == 0 || n.created_at() < books_.epoch.began + kClocksDiffer;
  }

  /// What a heartbeat has seen.
  struct Seen {
    int run = 0;
    std::uint64_t epoch = 0;
    std::uint64_t term = 0;
    stores::Pulse pulse;
  };

  /// Whether this node lives in the term that it knows, on the server in which the epoch began.
  [[nodiscard]] bool may_act() const {
    const auto found = books_.register_.find(node_);
    return found != books_.register_.end() && found->second.term == known_term_ &&
           steady_now() < found->second.until && books_.epoch.replid == books_.replid;
  }

  /// Returns the node's term.
  std::uint64_t beat(std::chrono::milliseconds ttl) {
    FakeQueueData::Registered& entry = books_.register_[node_];
    if (entry.term == 0 || steady_now() >= entry.until) entry.term = ++books_.last_term;
    entry.until = steady_now() + ttl;
    books_.epoch.beat = server_now();
    books_.last_beat = steady_now();
    return entry.term;
  }

  /// Not in an epoch that no heartbeat of this node had seen when it was asked for.
  template <class Effect>
  [[nodiscard]] async::Task<base::Expected<std::size_t>> repair(Effect effect) {
    return link_.travel(faults.leases,
                        [this, run = known_run_, epoch = known_epoch_,
                         effect = std::move(effect)]() -> base::Expected<std::size_t> {
                          const bool is_same = run == books_.run && epoch == books_.epoch.id &&
                                               books_.epoch.replid == books_.replid;
                          if (!is_same) {
                            return base::fail(base::Errc::unavailable, "another epoch");
                          }
                          return effect();
                        });
  }

  void note(Journal::Kind kind, base::NotificationId id, bool is_suspect = false) {
    link_.note({.kind = kind, .notification = id, .is_suspect = is_suspect});
  }

  void begin_epoch(std::chrono::milliseconds ttl) {
    const FakeQueueData::Epoch before = books_.epoch;
    FakeQueueData::Epoch& epoch = books_.epoch;
    epoch = {};
    epoch.id = ++books_.epochs_begun;
    epoch.run = books_.run;
    epoch.replid = books_.replid;
    epoch.since = steady_now();
    epoch.began = server_now();
    if (before.id != 0 && before.whole) epoch.lost_since = before.beat;
    if (before.id != 0 && !before.whole && before.lost_since) {
      epoch.lost_since = std::min(before.beat, *before.lost_since);
    }
    for (auto& [node, registered] : books_.register_) registered = {steady_now() + ttl, 0};
    note(Journal::Kind::epoch, {});
    books_.old.merge(books_.queued);
    books_.queued.clear();
  }

  /// Not what is of a user whom another node serves, nor more of one user than a node may have.
  [[nodiscard]] bool may_take(const rules::Notification& wanted) const {
    std::size_t mine = 0;
    for (const auto& [node, leases] : books_.leased) {
      for (const auto& [id, n] : leases) {
        if (n.user != wanted.user || n.priority != wanted.priority) continue;
        if (node != node_) return false;
        ++mine;
      }
    }
    return mine < stores::kUserLeasesMax;
  }

  void take(std::vector<stores::Lease>& leases, rules::Priority priority, std::size_t count) {
    std::vector<std::pair<base::WallTime, base::NotificationId>> due;
    for (const auto& [id, item] : books_.queued) {
      if (item.notification.priority == priority && item.due_at <= server_now()) {
        due.emplace_back(item.due_at, id);
      }
    }
    std::sort(due.begin(), due.end());
    for (const auto& [at, id] : due) {
      if (count == 0) return;
      if (!may_take(books_.queued.at(id).notification)) continue;
      --count;
      rules::Notification n = books_.queued.extract(id).mapped().notification;
      mine_now().insert_or_assign(id, n);
      const bool is_suspect = books_.suspects.contains(id);
      note(Journal::Kind::leased, id, is_suspect);
      leases.push_back({std::move(n), is_suspect, 0});
    }
  }

  bool put_back(const std::string& node, base::NotificationId id, base::WallTime due_at) {
    auto lease = books_.leased[node].extract(id);
    if (lease.empty()) return false;
    books_.suspects.insert(id);
    books_.queued.emplace(id, stores::QueueItem{std::move(lease.mapped()), due_at});
    return true;
  }

  std::size_t put_all_back(const std::string& node) {
    std::size_t count = 0;
    while (!books_.leased[node].empty()) {
      const base::NotificationId id = books_.leased[node].begin()->first;
      put_back(node, id, id.uuid().instant());
      note(Journal::Kind::put_back, id);
      ++count;
    }
    return count;
  }

  FakeQueueBooks& books_;
  FakeLink& link_;
  std::string node_;
  int known_run_;
  std::size_t turn_ = 0;
  std::uint64_t known_epoch_ = 0;
  std::uint64_t known_term_ = 0;
  std::uint64_t epoch_number_ = 0;
  std::uint64_t term_number_ = 0;
  std::chrono::milliseconds young_for_{0};
};

}  // namespace notify::fakes
