#pragma once
// The ledger, the history and the backlog on one table in memory. Nodes share the table; each has a
// FakeLedger of its own, with its own link and faults. It keeps the contract of tests/contract.

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "base/async/batcher.hpp"
#include "fakes/fake_ledger_table.hpp"
#include "fakes/fake_link.hpp"
#include "stores/backlog.hpp"
#include "stores/history.hpp"

namespace notify::fakes {

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
    auto done = co_await travel(faults.append, [this, &submissions] {
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
    return travel(faults.progress, [this, user, at] {
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
    return travel(faults.record, [this, id, at, decision = std::move(decision)] {
      return base::Expected<bool>(table_.cancel(id, at, decision));
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> mark_retracted(std::vector<Marked> marks,
                                                                 base::Deadline) override {
    return travel(faults.record, [this, marks = std::move(marks)] {
      for (const Marked& one : marks) {
        const auto found = table_.rows.find(one.notification);
        if (found == table_.rows.end() || found->second.record.retracted) continue;
        found->second.record.retracted = one.mark;
      }
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<ProgressById>> progress(
      std::vector<base::NotificationId> ids, base::Deadline) override {
    return travel(faults.progress, [this, ids = std::move(ids)] {
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
    return travel(faults.backlog, [this, id]() -> base::Expected<stores::Story> {
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
    return travel(faults.backlog, [this, user, before, limit] {
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
  [[nodiscard]] async::Task<base::Expected<std::vector<stores::Retractable>>> retractable(
      stores::RetractionScope scope, std::int32_t limit, base::Deadline) override {
    return travel(faults.backlog, [this, scope, limit] {
      std::vector<stores::Retractable> found;
      for (auto row = table_.rows.rbegin(); row != table_.rows.rend(); ++row) {
        if (found.size() >= static_cast<std::size_t>(limit)) break;
        const stores::HistoryRecord& record = row->second.record;
        if (!is_in(scope, record) || (scope.up_to && row->first > *scope.up_to)) continue;
        if (record.status == rules::Status::suppressed || record.retracted) continue;
        const bool waits = record.status == rules::Status::pending ||
                           record.status == rules::Status::deferred || record.cancelled_at ||
                           row->second.due;
        found.push_back({record, waits});
      }
      return base::Expected<std::vector<stores::Retractable>>(std::move(found));
    });
  }
  [[nodiscard]] async::Task<base::Expected<base::NotificationId>> newest_of(
      stores::RetractionScope scope, base::Deadline) override {
    return travel(faults.backlog, [this, scope]() -> base::Expected<base::NotificationId> {
      const auto row =
          std::find_if(table_.rows.rbegin(), table_.rows.rend(),
                       [&](const auto& entry) { return is_in(scope, entry.second.record); });
      if (row != table_.rows.rend()) return row->first;
      return base::fail(base::Errc::not_found, "no notification is about this message");
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::LedgerHorizon>> horizon(
      base::Deadline) override {
    return travel(faults.backlog, [this] {
      return base::Expected<stores::LedgerHorizon>(table_.horizon(database_now()));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::BacklogRead>> pending(stores::BacklogPage page,
                                                                         base::Deadline) override {
    return travel(faults.backlog, [this, page] {
      std::vector<Found> found;
      for (const auto& [id, row] : table_.rows) {
        if (waits_for_nothing(row)) found.push_back({{id.uuid().instant(), id}, &row});
      }
      return base::Expected<stores::BacklogRead>(page_of(std::move(found), page));
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::BacklogItem>>> pending_of(
      std::vector<base::NotificationId> ids, base::Deadline) override {
    return travel(faults.backlog, [this, ids = std::move(ids)] {
      std::vector<stores::BacklogItem> items;
      for (const base::NotificationId id : std::set(ids.begin(), ids.end())) {
        const auto row = table_.rows.find(id);
        if (row == table_.rows.end() || row->second.is_unreadable) continue;
        if (!waits_for_nothing(row->second)) continue;
        items.push_back({row->second.record.notification, id.uuid().instant()});
      }
      return base::Expected<std::vector<stores::BacklogItem>>(std::move(items));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::BacklogRead>> due(stores::BacklogPage page,
                                                                     base::Deadline) override {
    return travel(faults.backlog, [this, page] {
      std::vector<Found> found;
      for (const auto& [id, row] : table_.rows) {
        if (row.due) found.push_back({{row.due->at, id}, &row});
      }
      for (const auto& [id, due] : table_.due_alone) found.push_back({{due.at, id}, nullptr});
      return base::Expected<stores::BacklogRead>(page_of(std::move(found), page));
    });
  }

  [[nodiscard]] async::Task<void> stop() {
    co_await appends_.stop();
    co_await records_.stop();
  }

 private:
  using Unit = async::Unit;
  using Results = std::vector<base::Expected<Unit>>;
  using At = std::pair<base::WallTime, base::NotificationId>;
  /// A row of the backlog; null: its history is gone.
  struct Found {
    At at;
    const FakeLedgerTable::Row* row;
  };
  /// How long an append waits for its commit: as long as PgAppends does with both its runs.
  static constexpr std::chrono::seconds kCommitTimeout{6};

  [[nodiscard]] base::WallTime database_now() const {
    return table_.clock != nullptr ? table_.clock->now() : link_.timers.clock().now();
  }

  /// To the table, as it is when this arrives there.
  template <class Effect, class Result = std::invoke_result_t<Effect&>>
  [[nodiscard]] async::Task<Result> travel(FakeFault& fault, Effect effect) {
    return link_.travel(fault, [this, effect = std::move(effect)]() mutable {
      table_.commit_open(database_now());
      return effect();
    });
  }

  async::Task<AppendResults> append_all(std::vector<stores::Submission> batch) {
    const base::SteadyTime end = link_.timers.clock().steady_now() + kCommitTimeout;
    for (;;) {
      base::WallTime wait_until;
      const auto done = co_await travel(faults.append, [this, &batch, &wait_until] {
        return base::Expected<std::optional<AppendResults>>(
            table_.append(batch, database_now(), wait_until));
      });
      if (!done) co_return AppendResults(batch.size(), base::fail(done.error()));
      if (*done) co_return **done;
      const auto left = end - link_.timers.clock().steady_now();
      const auto wait = wait_until - database_now();
      if (wait > left) {
        co_await link_.timers.sleep_for(std::chrono::ceil<std::chrono::milliseconds>(left));
        const base::Error why{base::Errc::timed_out, "a commit got no answer"};
        co_return AppendResults(batch.size(), base::fail(why));
      }
      co_await link_.timers.sleep_for(std::max(wait, std::chrono::milliseconds(0)));
    }
  }

  async::Task<Results> record_all(std::vector<stores::DeliveryRecord> batch) {
    const auto done = co_await travel(faults.record, [this, &batch] {
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

  static bool is_in(const stores::RetractionScope& scope, const stores::HistoryRecord& record) {
    const rules::Notification& n = record.notification;
    return n.user == scope.user && !n.is_retraction() &&
           (!scope.conversation || n.conversation == scope.conversation) &&
           (!scope.message || n.message == scope.message);
  }

  static bool waits_for_nothing(const FakeLedgerTable::Row& row) {
    return row.record.status == rules::Status::pending && !row.due;
  }

  static stores::BacklogRead page_of(std::vector<Found> found, const stores::BacklogPage& page) {
    std::erase_if(found, [&page](const Found& one) {
      return one.at.first >= page.until || one.at <= At(page.after.at, page.after.id);
    });
    std::sort(found.begin(), found.end(),
              [](const Found& a, const Found& b) { return a.at < b.at; });
    const auto limit = static_cast<std::size_t>(page.limit);
    stores::BacklogRead read;
    if (found.size() >= limit) {
      found.resize(limit);
      read.next = stores::BacklogCursor{found.back().at.first, found.back().at.second};
    }
    for (const Found& one : found) {
      if (one.row == nullptr || one.row->is_unreadable) {
        ++read.unreadable;
      } else {
        read.items.push_back({one.row->record.notification, one.at.first});
      }
    }
    return read;
  }

  FakeLedgerTable& table_;
  FakeLink& link_;
  async::Batcher<stores::Submission, stores::Appended> appends_;
  async::Batcher<stores::DeliveryRecord, Unit> records_;
};

}  // namespace notify::fakes
