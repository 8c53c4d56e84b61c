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

/// What is committed, and what is about to be.
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
