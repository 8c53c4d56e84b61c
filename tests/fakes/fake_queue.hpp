#pragma once
// The queue and its leases in memory. Nodes share the books; each has a FakeQueue of its own, so
// that one can die and another take over. It keeps the contract of tests/contract.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "fakes/fake_link.hpp"
#include "stores/queue.hpp"

namespace notify::fakes {

/// What stands in the queue's books.
struct FakeQueueBooks {
  std::map<base::NotificationId, stores::QueueItem> queued;
  std::map<std::string, std::map<base::NotificationId, rules::Notification>> leased;
  std::set<base::NotificationId> suspects;
  std::map<std::string, base::SteadyTime> register_;  ///< node → when its heartbeat runs out

  [[nodiscard]] bool is_leased(base::NotificationId id) const {
    return std::any_of(leased.begin(), leased.end(),
                       [id](const auto& node) { return node.second.contains(id); });
  }
  /// As a server that comes back empty.
  void lose_everything() { *this = {}; }
};

/// Lifetime: `books` and `link` outlive this.
class FakeQueue final : public stores::Queue, public stores::Leases {
 public:
  struct Faults {
    FakeFault enqueue;
    FakeFault lease;
    FakeFault ack;
    FakeFault postpone;
    FakeFault heartbeat;
    FakeFault leases;  ///< take over, mine, give back, readmit, sign off
  };
  Faults faults;

  FakeQueue(FakeQueueBooks& books, FakeLink& link, std::string node)
      : books_(books), link_(link), node_(std::move(node)) {}

  [[nodiscard]] async::Task<std::vector<base::Expected<async::Unit>>> enqueue(
      std::vector<stores::QueueItem> items) override {
    const auto done = co_await link_.travel(faults.enqueue, [this, &items] {
      for (const stores::QueueItem& item : items) {
        books_.queued.emplace(item.notification.id, item);
      }
      return base::Expected<async::Unit>(async::Unit{});
    });
    co_return std::vector<base::Expected<async::Unit>>(items.size(), done);
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::Lease>>> lease(
      std::size_t max, base::Deadline) override {
    return link_.travel(faults.lease, [this, max] {
      std::vector<stores::Lease> leases;
      for (const rules::Priority priority : rules::kPriorities) {
        const std::size_t room = max - leases.size();
        // The lower ones keep a place, so that a flood of high ones starves nobody.
        const std::size_t kept = 2 - static_cast<std::size_t>(priority);
        take(leases, priority, room > kept ? room - kept : std::min<std::size_t>(room, 1));
      }
      return base::Expected<std::vector<stores::Lease>>(std::move(leases));
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> ack(stores::LeaseKey key) override {
    return link_.travel(faults.ack, [this, key] {
      // A lease that is somebody else's by now is not ours to give up.
      if (mine_now().erase(key.notification) > 0) books_.suspects.erase(key.notification);
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> postpone(stores::LeaseKey key,
                                                           base::WallTime due_at) override {
    return link_.travel(faults.postpone, [this, key, due_at] {
      put_back(node_, key.notification, due_at);
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::Registration>> heartbeat(
      std::chrono::milliseconds ttl, base::Deadline) override {
    return link_.travel(faults.heartbeat, [this, ttl] {
      const bool found = books_.register_.contains(node_);
      books_.register_[node_] = steady_now() + ttl;
      return base::Expected<stores::Registration>(found ? stores::Registration::found
                                                        : stores::Registration::made_anew);
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> sign_off(base::Deadline) override {
    return link_.travel(faults.leases, [this] {
      put_all_back(node_);
      books_.register_.erase(node_);
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::size_t>> take_over_dead(base::Deadline) override {
    return link_.travel(faults.leases, [this] {
      std::size_t taken = 0;
      for (auto entry = books_.register_.begin(); entry != books_.register_.end();) {
        const auto& [node, until] = *entry;
        if (node == node_ || steady_now() < until) {
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
      for (const auto& [id, n] : mine_now()) keys.push_back({n.priority, id});
      return base::Expected<std::vector<stores::LeaseKey>>(std::move(keys));
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> give_back(stores::LeaseKey key,
                                                            base::Deadline) override {
    return link_.travel(faults.leases, [this, key] {
      put_back(node_, key.notification, now());
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::size_t>> readmit(
      std::vector<stores::QueueItem> items, base::Deadline) override {
    return link_.travel(faults.leases, [this, items = std::move(items)] {
      std::size_t added = 0;
      for (const stores::QueueItem& item : items) {
        const base::NotificationId id = item.notification.id;
        if (books_.is_leased(id) || !books_.queued.emplace(id, item).second) continue;
        books_.suspects.insert(id);
        ++added;
      }
      return base::Expected<std::size_t>(added);
    });
  }

 private:
  [[nodiscard]] base::WallTime now() const { return link_.timers.clock().now(); }
  [[nodiscard]] base::SteadyTime steady_now() const { return link_.timers.clock().steady_now(); }
  [[nodiscard]] std::map<base::NotificationId, rules::Notification>& mine_now() {
    return books_.leased[node_];
  }

  void take(std::vector<stores::Lease>& leases, rules::Priority priority, std::size_t count) {
    std::vector<std::pair<base::WallTime, base::NotificationId>> due;
    for (const auto& [id, item] : books_.queued) {
      if (item.notification.priority == priority && item.due_at <= now()) {
        due.emplace_back(item.due_at, id);
      }
    }
    std::sort(due.begin(), due.end());
    if (due.size() > count) due.resize(count);
    for (const auto& [at, id] : due) {
      rules::Notification n = books_.queued.extract(id).mapped().notification;
      mine_now().insert_or_assign(id, n);
      leases.push_back({std::move(n), books_.suspects.contains(id)});
    }
  }

  void put_back(const std::string& node, base::NotificationId id, base::WallTime due_at) {
    auto lease = books_.leased[node].extract(id);
    if (lease.empty()) return;
    books_.suspects.insert(id);
    books_.queued.insert_or_assign(id, stores::QueueItem{std::move(lease.mapped()), due_at});
  }

  std::size_t put_all_back(const std::string& node) {
    std::size_t count = 0;
    while (!books_.leased[node].empty()) {
      put_back(node, books_.leased[node].begin()->first, now());
      ++count;
    }
    return count;
  }

  FakeQueueBooks& books_;
  FakeLink& link_;
  std::string node_;
};

}  // namespace notify::fakes
