#pragma once
// The ledger, the history and the backlog on one table in memory. Nodes share the table; each has a
// FakeLedger of its own, with its own link and faults. It keeps the contract of tests/contract.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/async/batcher.hpp"
#include "fakes/fake_link.hpp"
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

/// What is committed.
struct FakeLedgerTable {
  struct Row {
    stores::HistoryRecord record;
    std::vector<rules::Attempt> attempts;
    std::optional<stores::Due> due;
    std::vector<stores::Replay> replays;
  };
  std::map<base::NotificationId, Row> rows;  // a v7 id sorts as (created_at, id)
  struct Key {
    base::Digest request;
    base::NotificationId first;
  };
  std::map<std::pair<std::string, base::Digest>, Key> keys;
  std::size_t statements = 0;

  base::Expected<stores::Appended> append(const stores::Submission& submission) {
    const rules::Idempotency& idempotency = submission.idempotency;
    const rules::Notification& n = submission.notification;
    const auto place = std::pair(idempotency.caller, idempotency.key);
    auto known = keys.find(place);
    if (known != keys.end() &&
        known->second.first.uuid().instant() <= n.created_at() - rules::kIdempotencyWindow) {
      keys.erase(known);
      known = keys.end();
    }
    if (known == keys.end()) {
      keys.emplace(place, Key{idempotency.request, n.id});
      append(n);
      Row& row = rows.at(n.id);
      row.record.status = submission.status;
      row.due = submission.due;
      if (!submission.decision.empty()) {
        row.record.decisions =
            rules::decode_metadata(rules::encode_metadata(n, submission.decision))->decisions;
      }
      return stores::Appended{n.id, n.expires_at, submission.status, false};
    } else if (idempotency.is_explicit && known->second.request != idempotency.request) {
      return base::fail(base::Errc::already_exists, "the key stands for another request");
    } else if (known->second.first != n.id) {
      const stores::HistoryRecord& first = rows.at(known->second.first).record;
      return stores::Appended{first.notification.id, first.notification.expires_at, first.status,
                              true};
    }
    return stores::Appended{n.id, n.expires_at, rules::Status::pending, false};
  }
  [[nodiscard]] base::Expected<stores::Appended> find_repeat(
      const stores::Submission& submission) const {
    const rules::Idempotency& idempotency = submission.idempotency;
    const auto known = keys.find(std::pair(idempotency.caller, idempotency.key));
    const base::WallTime oldest = submission.notification.created_at() - rules::kIdempotencyWindow;
    if (known == keys.end() || known->second.first.uuid().instant() <= oldest) {
      return base::fail(base::Errc::not_found, "it was not accepted");
    }
    if (idempotency.is_explicit && known->second.request != idempotency.request) {
      return base::fail(base::Errc::already_exists, "the key stands for another request");
    }
    const stores::HistoryRecord& first = rows.at(known->second.first).record;
    return stores::Appended{first.notification.id, first.notification.expires_at, first.status,
                            true};
  }
  /// Whether the same user has got a newer one with the same collapse id.
  [[nodiscard]] bool is_superseded(base::NotificationId id, base::WallTime now) const {
    const rules::Notification& n = rows.at(id).record.notification;
    if (n.presentation.collapse_id.empty()) return false;
    return std::any_of(rows.upper_bound(id), rows.end(), [&n, now](const auto& entry) {
      const stores::HistoryRecord& newer = entry.second.record;
      return newer.notification.user == n.user &&
             newer.notification.presentation.collapse_id == n.presentation.collapse_id &&
             newer.status != rules::Status::suppressed &&
             newer.status != rules::Status::cancelled &&
             newer.notification.deliver_at.value_or(now) <= now;
    });
  }
  /// What a grouped one waits for, by the last word on it.
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
      } else if (record.status != suppressed && record.status != cancelled &&
                 record.notification.expires_at > now) {
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
    if (!record.decision.empty() && record.status &&
        status_rank(*record.status) >= status_rank(row.record.status)) {
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
      // Of two outcomes of one try the last word stands, and an acceptance above all.
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

/// Lifetime: `table` and `link` outlive this; stop() completes before destruction.
class FakeLedger final : public stores::Ledger, public stores::History, public stores::Backlog {
 public:
  using AppendResults = std::vector<base::Expected<stores::Appended>>;

  struct Faults {
    FakeFault append;
    FakeFault record;
    FakeFault progress;
    FakeFault backlog;

    [[nodiscard]] std::array<FakeFault*, 4> all() {
      return {&append, &record, &progress, &backlog};
    }
  };
  Faults faults;

  FakeLedger(FakeLedgerTable& table, FakeLink& link, async::BatcherLimits limits = {})
      : table_(table),
        link_(link),
        appends_(link.timers, limits, {},
                 [this](std::vector<stores::Submission> batch) { return append_all(batch); }),
        records_(link.timers, limits, {},
                 [this](std::vector<stores::DeliveryRecord> batch) { return record_all(batch); }) {}

  [[nodiscard]] async::Task<AppendResults> append(std::vector<stores::Submission> submissions,
                                                  std::string lane) override {
    return appends_.submit(std::move(submissions), std::move(lane));
  }

  [[nodiscard]] async::Task<AppendResults> find_repeats(
      std::vector<stores::Submission> submissions) override {
    auto done = co_await link_.travel(faults.append, [this, &submissions] {
      AppendResults results;
      for (const stores::Submission& one : submissions) results.push_back(table_.find_repeat(one));
      return base::Expected<AppendResults>(std::move(results));
    });
    if (!done) co_return AppendResults(submissions.size(), base::fail(done.error()));
    co_return std::move(*done);
  }

  [[nodiscard]] async::Task<base::Expected<void>> record(stores::DeliveryRecord record) override {
    const auto done = co_await records_.submit(std::move(record));
    if (!done) co_return base::fail(done.error());
    co_return base::Expected<void>();
  }

  [[nodiscard]] async::Task<base::Expected<void>> release_deferred(base::UserId user,
                                                                   base::WallTime at,
                                                                   base::Deadline) override {
    return link_.travel(faults.progress, [this, user, at] {
      for (auto& [id, row] : table_.rows) {
        if (row.record.notification.user != user || !row.due) continue;
        const auto& [first, later] = row.record.decisions;
        const bool waits_for_quiet = row.due->reason == stores::DueReason::deferred &&
                                     (later ? later : first) &&
                                     (later ? later : first)->by == "quiet_hours";
        if (waits_for_quiet && row.due->at > at) row.due->at = at;
      }
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<bool>> cancel(base::NotificationId id, base::WallTime at,
                                                         std::string decision,
                                                         base::Deadline) override {
    return link_.travel(faults.record, [this, id, at, decision = std::move(decision)] {
      return base::Expected<bool>(table_.cancel(id, at, decision));
    });
  }

  [[nodiscard]] async::Task<base::Expected<ProgressById>> progress(
      std::vector<base::NotificationId> ids, base::Deadline) override {
    return link_.travel(faults.progress, [this, ids = std::move(ids)] {
      ProgressById known;
      for (const base::NotificationId id : ids) {
        const auto found = table_.rows.find(id);
        if (found == table_.rows.end()) continue;
        const FakeLedgerTable::Row& row = found->second;
        known[id] = {row.record.status, row.attempts, {}};
        if (!row.replays.empty()) known[id].replayed_at = row.replays.back().at;
        known[id].is_cancelled = row.record.cancelled_at.has_value();
        known[id].is_superseded = table_.is_superseded(id, link_.timers.clock().now());
        table_.look_at_group(id, link_.timers.clock().now(), known[id]);
      }
      return base::Expected<ProgressById>(std::move(known));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::Story>> find(base::NotificationId id,
                                                                base::Deadline) override {
    return link_.travel(faults.backlog, [this, id]() -> base::Expected<stores::Story> {
      const auto found = table_.rows.find(id);
      const base::WallTime now = link_.timers.clock().now();
      const base::WallTime at = id.uuid().instant();
      const bool plausible = id.uuid().is_v7() && at >= now - std::chrono::days(90) &&
                             at <= now + std::chrono::minutes(5);
      if (!plausible || found == table_.rows.end()) {
        return base::fail(base::Errc::not_found, "there is no such notification");
      }
      const FakeLedgerTable::Row& row = found->second;
      return stores::Story{row.record, row.attempts, row.due, row.replays};
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::HistoryRecord>>> list(
      base::UserId user, std::optional<base::NotificationId> before, std::int32_t limit,
      base::Deadline) override {
    return link_.travel(faults.backlog, [this, user, before, limit] {
      std::vector<stores::HistoryRecord> records;
      for (auto row = table_.rows.rbegin(); row != table_.rows.rend(); ++row) {
        if (records.size() >= static_cast<std::size_t>(limit)) break;
        if (row->second.record.notification.user != user) continue;
        if (before && row->first >= *before) continue;
        records.push_back(row->second.record);
      }
      return base::Expected<std::vector<stores::HistoryRecord>>(std::move(records));
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::BacklogItem>>> pending(
      stores::BacklogPage page, base::Deadline) override {
    return read_page(page, [](const FakeLedgerTable::Row& row) -> std::optional<base::WallTime> {
      if (row.record.status != rules::Status::pending || row.due) return std::nullopt;
      return row.record.notification.created_at();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::BacklogItem>>> due(
      stores::BacklogPage page, base::Deadline) override {
    return read_page(page, [](const FakeLedgerTable::Row& row) -> std::optional<base::WallTime> {
      if (!row.due) return std::nullopt;
      return row.due->at;
    });
  }

  [[nodiscard]] async::Task<void> stop() {
    co_await appends_.stop();
    co_await records_.stop();
  }

 private:
  using Unit = async::Unit;
  using Results = std::vector<base::Expected<Unit>>;
  using DueAt = std::optional<base::WallTime> (*)(const FakeLedgerTable::Row&);

  async::Task<AppendResults> append_all(std::vector<stores::Submission> batch) {
    auto done = co_await link_.travel(faults.append, [this, &batch] {
      ++table_.statements;
      AppendResults results;
      for (const stores::Submission& one : batch) results.push_back(table_.append(one));
      return base::Expected<AppendResults>(std::move(results));
    });
    if (!done) co_return AppendResults(batch.size(), base::fail(done.error()));
    co_return std::move(*done);
  }

  async::Task<Results> record_all(std::vector<stores::DeliveryRecord> batch) {
    const auto done = co_await link_.travel(faults.record, [this, &batch] {
      ++table_.statements;
      for (const stores::DeliveryRecord& record : batch) {
        table_.record(record);
        for (const rules::Attempt& attempt : record.attempts) {
          link_.note({.kind = Journal::Kind::recorded,
                      .notification = record.notification,
                      .device = attempt.device,
                      .status = attempt.status});
        }
      }
      return base::Expected<Unit>(Unit{});
    });
    co_return Results(batch.size(), done);
  }

  async::Task<base::Expected<std::vector<stores::BacklogItem>>> read_page(stores::BacklogPage page,
                                                                          DueAt due_at_of) {
    return link_.travel(faults.backlog, [this, page, due_at_of] {
      std::vector<stores::BacklogItem> items;
      for (const auto& [id, row] : table_.rows) {
        const auto at = due_at_of(row);
        if (!at || *at >= page.until) continue;
        if (std::pair(*at, id) <= std::pair(page.after.at, page.after.id)) continue;
        items.push_back({row.record.notification, *at});
      }
      std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
        return std::pair(a.due_at, a.notification.id) < std::pair(b.due_at, b.notification.id);
      });
      const auto limit = static_cast<std::size_t>(page.limit);
      if (items.size() > limit) items.erase(items.begin() + page.limit, items.end());
      return base::Expected<std::vector<stores::BacklogItem>>(std::move(items));
    });
  }

  FakeLedgerTable& table_;
  FakeLink& link_;
  async::Batcher<stores::Submission, stores::Appended> appends_;
  async::Batcher<stores::DeliveryRecord, Unit> records_;
};

}  // namespace notify::fakes
