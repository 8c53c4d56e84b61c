#pragma once
// The rows of the ledger as PostgreSQL holds them, in memory, and how statements change them.

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "stores/backlog.hpp"
#include "stores/history.hpp"

namespace notify::fakes {

/// As notification_status_rank() in SQL.
[[nodiscard]] inline int status_rank(rules::Status status) {
  switch (status) {
    case rules::Status::pending: return 0;
    case rules::Status::deferred: return 1;
    case rules::Status::sent: return 2;
    case rules::Status::failed:
    case rules::Status::expired:
    case rules::Status::suppressed:
    case rules::Status::cancelled:
    case rules::Status::superseded: return 3;
    case rules::Status::delivered: return 4;
    case rules::Status::opened: return 5;
  }
  return -1;
}

/// The committed rows, and those that are about to be committed.
struct FakeLedgerTable {
  const base::Clock* clock = nullptr;  ///< the database's; unset: the asker's own
  struct Row {
    stores::HistoryRecord record;
    std::vector<rules::Attempt> attempts;
    std::optional<stores::Due> due;
    std::vector<stores::Replay> replays;
    bool is_unreadable = false;  ///< the backlog cannot decode it
  };
  std::map<base::NotificationId, Row> rows{};  // a v7 id sorts as (created_at, id)
  /// Rows of `due` whose history row is gone.
  std::map<base::NotificationId, stores::Due> due_alone{};
  struct Key {
    base::Digest request;
    base::NotificationId first;
  };
  std::map<std::pair<std::string, base::Digest>, Key> keys{};
  std::size_t statements = 0;

  /// How long the commit of the next append takes, from when its rows were checked; unset: no time.
  /// It comes also if its node has given up or is gone.
  std::function<std::chrono::milliseconds()> commit_takes{};
  /// An append whose rows are checked and not committed.
  struct Open {
    base::WallTime began;
    base::WallTime commits_at;
    std::vector<stores::Submission> batch;
  };
  std::vector<Open> open{};

  /// Commits what should be committed by now.
  void commit_open(base::WallTime now) {
    for (auto one = open.begin(); one != open.end();) {
      if (one->commits_at > now) {
        ++one;
        continue;
      }
      for (const stores::Submission& submission : one->batch) {
        static_cast<void>(append(submission));  // who asked asks again
      }
      one = open.erase(one);
    }
  }
  [[nodiscard]] stores::LedgerHorizon horizon(base::WallTime now) const {
    base::WallTime oldest = now;
    for (const Open& one : open) oldest = std::min(oldest, one.began);
    return {now, oldest - stores::kAppendWithin - std::chrono::seconds(1)};
  }

  /// One statement for all of them. Unset: nothing was written, since the commit, or that of
  /// another append with the same keys, is to be waited for: until `wait_until`, then ask again.
  std::optional<std::vector<base::Expected<stores::Appended>>> append(
      const std::vector<stores::Submission>& batch, base::WallTime now,
      base::WallTime& wait_until) {
    for (const stores::Submission& one : batch) {
      if (const Open* holder = find_open(one)) {
        wait_until = holder->commits_at;
        return std::nullopt;
      }
    }
    ++statements;
    const auto takes = commit_takes ? commit_takes() : std::chrono::milliseconds(0);
    Open late{now, now + takes, {}};
    std::vector<base::Expected<stores::Appended>> results;
    for (const stores::Submission& one : batch) {
      const bool in_time = one.notification.created_at() >= now - stores::kAppendWithin &&
                           one.notification.created_at() <= now + stores::kAppendWithin;
      if (!in_time && !find_holder(one)) {
        results.emplace_back(base::fail(stores::not_within()));
      } else if (takes > std::chrono::milliseconds(0) && !find_holder(one)) {
        late.batch.push_back(one);
      } else {
        results.push_back(append(one));
      }
    }
    if (late.batch.empty()) return results;
    wait_until = late.commits_at;
    open.push_back(std::move(late));
    return std::nullopt;
  }
  [[nodiscard]] const Key* find_holder(const stores::Submission& submission) const {
    const auto known =
        keys.find(std::pair(submission.idempotency.caller, submission.idempotency.key));
    const base::WallTime oldest = submission.notification.created_at() - rules::kIdempotencyWindow;
    const bool is_held = known != keys.end() && known->second.first.uuid().instant() > oldest;
    return is_held ? &known->second : nullptr;
  }
  [[nodiscard]] const Open* find_open(const stores::Submission& submission) const {
    for (const Open& one : open) {
      for (const stores::Submission& other : one.batch) {
        if (other.idempotency.caller == submission.idempotency.caller &&
            other.idempotency.key == submission.idempotency.key) {
          return &one;
        }
      }
    }
    return nullptr;
  }

  /// As of a notification that is in time.
  base::Expected<stores::Appended> append(const stores::Submission& submission) {
    const rules::Idempotency& idempotency = submission.idempotency;
    const rules::Notification& n = submission.notification;
    const Key* const holder = find_holder(submission);
    if (holder == nullptr) {
      keys[std::pair(idempotency.caller, idempotency.key)] = Key{idempotency.request, n.id};
      append(n);
      Row& row = rows.at(n.id);
      row.record.status = submission.status;
      row.due = submission.due;
      if (!submission.decision.empty()) {
        row.record.decisions =
            rules::decode_metadata(rules::encode_metadata(n, submission.decision))->decisions;
      }
    } else if (idempotency.is_explicit && holder->request != idempotency.request) {
      return base::fail(base::Errc::already_exists, "the key stands for another request");
    } else if (holder->first != n.id) {
      return repeat_of(*holder);
    }
    return stores::Appended{n.id, n.expires_at, submission.status, false};
  }
  [[nodiscard]] stores::Appended repeat_of(const Key& holder) const {
    const stores::HistoryRecord& first = rows.at(holder.first).record;
    return {first.notification.id, first.notification.expires_at, first.status, true};
  }
  [[nodiscard]] base::Expected<stores::Appended> find_repeat(
      const stores::Submission& submission) const {
    const rules::Idempotency& idempotency = submission.idempotency;
    const Key* const holder = find_holder(submission);
    if (holder == nullptr) return base::fail(base::Errc::not_found, "it was not accepted");
    if (idempotency.is_explicit && holder->request != idempotency.request) {
      return base::fail(base::Errc::already_exists, "the key stands for another request");
    }
    return repeat_of(*holder);
  }
  /// Whether it has come, or can still come: then it replaces older ones.
  [[nodiscard]] static bool replaces(const stores::HistoryRecord& newer, base::WallTime now) {
    using enum rules::Status;
    if (newer.status == sent || newer.status == delivered || newer.status == opened) return true;
    const bool waits = newer.status == pending || newer.status == deferred;
    return waits && newer.notification.expires_at > now;
  }
  /// Whether the same user has got a newer one with the same collapse id.
  [[nodiscard]] bool is_superseded(base::NotificationId id, base::WallTime now) const {
    const rules::Notification& n = rows.at(id).record.notification;
    if (n.presentation.collapse_id.empty()) return false;
    return std::any_of(rows.upper_bound(id), rows.end(), [&n, now](const auto& entry) {
      const stores::HistoryRecord& newer = entry.second.record;
      const std::optional<stores::Due>& due = entry.second.due;
      const bool is_deferred = due && due->reason == stores::DueReason::deferred && due->at > now;
      return newer.notification.user == n.user && replaces(newer, now) && !is_deferred &&
             newer.notification.presentation.collapse_id == n.presentation.collapse_id &&
             newer.notification.deliver_at.value_or(now) <= now;
    });
  }
  /// The time for which a grouped one waits, by the last word on it.
  [[nodiscard]] static std::optional<base::WallTime> group_of(const stores::HistoryRecord& record) {
    const auto& last = record.decisions.last();
    return last && last->is_grouped ? last->until : std::nullopt;
  }
  [[nodiscard]] static bool is_same_group(const stores::HistoryRecord& a,
                                          const stores::HistoryRecord& b) {
    constexpr std::chrono::seconds kClocksDiffer{5};
    const auto one = group_of(a);
    const auto other = group_of(b);
    return one && other && a.notification.user == b.notification.user &&
           a.notification.conversation == b.notification.conversation &&
           *one - *other <= kClocksDiffer && *other - *one <= kClocksDiffer;
  }
  /// As rules::Progress has it: of one that is grouped, how many older ones waited with it, and
  /// whether a newer one did.
  void look_at_group(base::NotificationId id, base::WallTime now, rules::Progress& progress) const {
    const stores::HistoryRecord& own = rows.at(id).record;
    if (!group_of(own)) return;
    progress.group_size = 1;
    for (const auto& [other, row] : rows) {
      const stores::HistoryRecord& record = row.record;
      if (other == id || !is_same_group(own, record)) continue;
      using enum rules::Status;
      if (other < id) {
        if (record.status == deferred || record.status == superseded) ++progress.group_size;
      } else if (replaces(record, now)) {
        progress.is_superseded = true;
      }
    }
  }
  void append(const rules::Notification& n) {
    Row row;
    row.record.notification = n;
    rows.emplace(n.id, std::move(row));
  }
  bool cancel(base::NotificationId id, base::WallTime at, const std::string& decision) {
    const auto found = rows.find(id);
    if (found == rows.end()) return false;
    stores::HistoryRecord& record = found->second.record;
    const bool waits =
        record.status == rules::Status::pending || record.status == rules::Status::deferred;
    if (!record.cancelled_at && (waits || found->second.due)) {
      if (waits) record.status = rules::Status::cancelled;
      record.cancelled_at = at;
      record.decisions.later =
          rules::decode_metadata("{\"later\":" + decision + "}")->decisions.later;
    }
    if (record.cancelled_at) found->second.due.reset();
    return record.cancelled_at.has_value();
  }
  void record(const stores::DeliveryRecord& record) {
    const auto found = rows.find(record.notification);
    if (found == rows.end()) return;
    Row& row = found->second;
    for (const rules::Attempt& attempt : record.attempts) add(row, attempt);
    const bool in_time = record.status
                             ? status_rank(*record.status) >= status_rank(row.record.status)
                             : !row.record.cancelled_at;
    if (!record.decision.empty() && in_time) {
      row.record.decisions.later =
          rules::decode_metadata("{\"later\":" + record.decision + "}")->decisions.later;
      row.record.notification.expires_at =
          record.expires_at.value_or(row.record.notification.expires_at);
    }
    if (record.status && status_rank(*record.status) > status_rank(row.record.status)) {
      move_to(row.record, *record.status, record.at);
    }
    if (record.due) {
      row.due = record.due;
    } else if (record.was_due) {
      row.due.reset();
    }
  }

 private:
  static void add(Row& row, const rules::Attempt& attempt) {
    for (rules::Attempt& there : row.attempts) {
      if (there.id != attempt.id) continue;
      // Two outcomes of one try: the last word stands, and an acceptance above all.
      using enum rules::AttemptStatus;
      const bool accepted = attempt.status == delivered && there.status != delivered;
      if (accepted || (rules::is_final(attempt.status) && !rules::is_final(there.status))) {
        there = attempt;
      }
      return;
    }
    row.attempts.push_back(attempt);
    std::stable_sort(row.attempts.begin(), row.attempts.end(), [](const auto& a, const auto& b) {
      return std::pair(a.attempted_at, a.id) < std::pair(b.attempted_at, b.id);
    });
  }
  static void keep_first(std::optional<base::WallTime>& place, base::WallTime at) {
    if (!place) place = at;
  }
  static void move_to(stores::HistoryRecord& record, rules::Status status, base::WallTime at) {
    record.status = status;
    const bool delivered = status == rules::Status::delivered;
    if (delivered || status == rules::Status::sent) keep_first(record.sent_at, at);
    if (delivered) keep_first(record.delivered_at, at);
    if (status == rules::Status::expired) keep_first(record.expired_at, at);
  }
};

}  // namespace notify::fakes
