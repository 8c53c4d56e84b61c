#include "sim/checks.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace notify::sim {
namespace {

using base::NotificationId;
using fakes::Journal;
using rules::AttemptStatus;
using rules::Status;

/// After a fault has ended, what it has delayed goes on for a while.
constexpr milliseconds kAftermath{7000};

class Checker {
 public:
  explicit Checker(const World& world) : world_(world) {}

  std::vector<std::string> run(bool is_over) {
    wrongs_ = world_.wrongs();
    if (!is_over) unfinished();
    accepted_once();
    if (is_over) told_the_truth();
    sent_rightly();
    sent_in_its_time();
    if (is_over) spoken_for();
    in_order();
    one_maintainer();
    return std::move(wrongs_);
  }

  std::size_t count_repeats() {
    sent_rightly();
    return repeats_;
  }

 private:
  void wrong(std::string what) {
    if (wrongs_.size() < 20) wrongs_.push_back(std::move(what));
  }

  void unfinished() {
    wrong("it does not come to an end");
    const auto& books = world_.outside().books;
    for (const auto& [id, row] : world_.outside().table.rows) {
      if (row.record.status != Status::pending && !row.due) continue;
      wrong("unfinished: " + id.to_string() + (row.due ? ", due" : "") +
            (books.queued.contains(id) ? ", queued" : "") +
            (books.is_leased(id) ? ", leased" : "") + (books.old.contains(id) ? ", old" : ""));
    }
    for (const auto& [id, item] : books.queued) {
      wrong("still queued: " + id.to_string());
    }
    for (const auto& [node, leases] : books.leased) {
      for (const auto& [id, n] : leases) wrong("still leased by " + node + ": " + id.to_string());
    }
  }

  /// Every OK is for a row that is there, and a request has one row however often it was made.
  void accepted_once() {
    const auto& rows = world_.outside().table.rows;
    std::map<std::string, int> rows_of;
    for (const auto& [id, row] : rows) ++rows_of[row.record.notification.message->to_string()];
    for (const Request& request : world_.requests()) {
      for (const NotificationId id : request.told_ids) {
        if (!rows.contains(id)) wrong("told OK, and there is no row: " + id.to_string());
        if (id != request.told_ids.front()) {
          wrong("told two ids for one request: " + id.to_string());
        }
      }
      if (rows_of[request.message_text] > 1) {
        wrong("two rows for one request: " + request.message_text);
      }
    }
  }

  /// What the ledger says of the end, the push service says too.
  void told_the_truth() {
    std::set<NotificationId> received;
    for (const auto& one : world_.outside().apple.received) received.insert(one.notification);
    for (const auto& [id, row] : world_.outside().table.rows) {
      const bool delivered = row.record.status == Status::delivered;
      if (delivered && !received.contains(id)) wrong("never sent: " + id.to_string());
      std::size_t accepted = 0;
      for (const rules::Attempt& attempt : row.attempts) {
        if (attempt.status == AttemptStatus::delivered) ++accepted;
      }
      if (delivered != (accepted > 0)) wrong("status and attempts differ: " + id.to_string());
    }
  }

  [[nodiscard]] bool is_excused(base::WallTime from, base::WallTime until) const {
    return std::any_of(world_.faults().begin(), world_.faults().end(), [&](const FaultWindow& f) {
      const bool over_before = f.until != base::WallTime::max() && f.until + kAftermath < from;
      return excuses_repeats(f.fault) && f.from <= until && !over_before;
    });
  }
  /// A clock that is off sends early or late.
  [[nodiscard]] bool clocks_were_right(base::WallTime at) const {
    return std::none_of(world_.faults().begin(), world_.faults().end(), [&](const FaultWindow& f) {
      const bool over_before = f.until != base::WallTime::max() && f.until + 5s < at;
      return is_of_clocks(f.fault) && f.from <= at && !over_before;
    });
  }
  [[nodiscard]] bool any_fault(base::WallTime from, base::WallTime until) const {
    return std::any_of(world_.faults().begin(), world_.faults().end(), [&](const FaultWindow& f) {
      const bool over_before = f.until != base::WallTime::max() && f.until + kAftermath < from;
      return f.from <= until && !over_before;
    });
  }

  /// Nothing is sent that was known to be done, by who has no lease of it, or after its end;
  /// nothing twice without a reason.
  void sent_rightly() {
    struct Pair {
      std::optional<std::size_t> done;  ///< recorded as final
      std::optional<base::WallTime> unsettled_send;
    };
    std::map<std::pair<NotificationId, base::DeviceId>, Pair> pairs;
    std::map<std::pair<int, NotificationId>, std::size_t> leased_at;
    base::WallTime epoch_began;
    const auto& entries = world_.journal().entries;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Journal::Entry& e = entries[i];
      if (e.kind == Journal::Kind::leased) leased_at[{e.node, e.notification}] = i;
      if (e.kind == Journal::Kind::epoch) epoch_began = e.at;
      if (e.kind == Journal::Kind::recorded) {
        Pair& pair = pairs[{e.notification, e.device}];
        pair.unsettled_send.reset();
        if (rules::is_final(e.status)) pair.done = i;
      }
      if (e.kind != Journal::Kind::sent) continue;
      const std::string what = e.notification.to_string() + " by node " + std::to_string(e.node);
      Pair& pair = pairs[{e.notification, e.device}];
      if (pair.done && *pair.done < leased_at[{e.node, e.notification}]) {
        wrong("sent what was done when it was leased: " + what);
      }
      if (!e.owns && !any_fault(e.at - 1s, e.at)) wrong("sent without a lease: " + what);
      if (!e.owns && e.at > epoch_began + 6s && was_taken(entries, i)) {
        wrong("sent after its lease was taken over: " + what);
      }
      if (pair.unsettled_send) {
        ++repeats_;
        if (!is_excused(*pair.unsettled_send, e.at)) wrong("sent twice without a reason: " + what);
      }
      pair.unsettled_send = e.at;
      const auto row = world_.outside().table.rows.find(e.notification);
      if (row == world_.outside().table.rows.end()) {
        wrong("sent without a row: " + what);
      } else if (e.at > row->second.record.notification.expires_at + 3s &&
                 clocks_were_right(e.at)) {
        wrong("sent after it has expired: " + what);
      }
    }
  }

  /// Whether the sender's last lease was put back by somebody else for long enough to be known.
  static bool was_taken(const std::vector<Journal::Entry>& entries, std::size_t sent) {
    const Journal::Entry& e = entries[sent];
    for (std::size_t i = sent; i-- > 0;) {
      if (entries[i].notification != e.notification) continue;
      if (entries[i].kind == Journal::Kind::leased && entries[i].node == e.node) return false;
      if (entries[i].kind == Journal::Kind::put_back && entries[i].node != e.node) {
        return e.at > entries[i].at;
      }
    }
    return false;
  }

  /// Nothing is sent after its caller was told that it is cancelled, whatever faults there are; and
  /// nothing before its time, but for what clocks differ.
  void sent_in_its_time() {
    std::map<NotificationId, const Request*> told;
    for (const Request& request : world_.requests()) {
      if (!request.told_ids.empty()) told[request.told_ids.front()] = &request;
    }
    for (const Journal::Entry& e : world_.journal().entries) {
      const auto found = told.find(e.notification);
      if (e.kind != Journal::Kind::sent || found == told.end()) continue;
      const Request& request = *found->second;
      if (request.cancelled && e.at > *request.cancelled) {
        wrong("sent after it was said to be cancelled: " + e.notification.to_string());
      }
      if (request.ahead && e.at + 2s < *request.asked_first + *request.ahead &&
          clocks_were_right(e.at)) {
        wrong("sent before its time: " + e.notification.to_string());
      }
    }
  }

  /// What gave way to others of its conversation has one among them that is newer and came, or
  /// whose own end is on record.
  void spoken_for() {
    const auto& rows = world_.outside().table.rows;
    for (auto row = rows.begin(); row != rows.end(); ++row) {
      const stores::HistoryRecord& older = row->second.record;
      if (older.status != Status::superseded) continue;
      const bool is_spoken_for = std::any_of(std::next(row), rows.end(), [&](const auto& entry) {
        const stores::HistoryRecord& newer = entry.second.record;
        return newer.notification.user == older.notification.user &&
               newer.notification.conversation == older.notification.conversation &&
               newer.status != Status::superseded && newer.status != Status::suppressed;
      });
      if (!is_spoken_for) wrong("nobody speaks for it: " + row->first.to_string());
    }
  }

  /// Of two notifications to a user, each device is sent the one first that was accepted before the
  /// other was asked for, unless a fault was about.
  void in_order() {
    struct Sent {
      std::map<base::DeviceId, base::WallTime> first;
      bool was_postponed = false;
    };
    std::map<NotificationId, Sent> sends;
    for (const Journal::Entry& e : world_.journal().entries) {
      Sent& one = sends[e.notification];
      if (e.kind == Journal::Kind::sent) one.first.try_emplace(e.device, e.at);
      if (e.kind == Journal::Kind::postponed && one.first.empty()) one.was_postponed = true;
    }
    std::map<std::pair<base::UserId, rules::Priority>, std::vector<const Request*>> lines;
    for (const Request& request : world_.requests()) {
      // What may wait for the end of a burst comes behind others.
      const bool may_wait = !request.conversation_text.empty() && request.type == "message";
      if (request.told && !request.ahead && !may_wait)
        lines[{request.user, request.priority}].push_back(&request);
    }
    for (auto& [user, line] : lines) {
      std::sort(line.begin(), line.end(), [](const Request* a, const Request* b) {
        return std::pair(*a->asked_first, a) < std::pair(*b->asked_first, b);
      });
      for (std::size_t i = 1; i < line.size(); ++i) {
        const Request& before = *line[i - 1];
        const Request& after = *line[i];
        if (*before.told >= *after.asked_first) continue;
        const Sent& x = sends[before.told_ids.front()];
        const Sent& y = sends[after.told_ids.front()];
        if (x.was_postponed) continue;
        for (const auto& [device, sent] : y.first) {
          const auto earlier = x.first.find(device);
          if (earlier == x.first.end() || earlier->second <= sent) continue;
          if (any_fault(*before.asked_first, sent)) continue;
          wrong("out of order: " + after.told_ids.front().to_string() + " before " +
                before.told_ids.front().to_string());
        }
      }
    }
  }

  /// Whoever is elected later rules.
  void one_maintainer() {
    std::int64_t greatest = 0;
    for (const Journal::Entry& e : world_.journal().entries) {
      if (e.kind != Journal::Kind::kept_up) continue;
      if (e.token < greatest) wrong("a maintainer that was replaced did something");
      greatest = std::max(greatest, e.token);
    }
  }

  const World& world_;
  std::vector<std::string> wrongs_;
  std::size_t repeats_ = 0;
};

}  // namespace

std::vector<std::string> check(const World& world, bool is_over) {
  return Checker(world).run(is_over);
}

std::size_t repeats(const World& world) { return Checker(world).count_repeats(); }

}  // namespace notify::sim
