#pragma once
// Dead letters on the table of the fake ledger, and an audit that only grows. They keep the
// contract of tests/contract.

#include <algorithm>
#include <utility>

#include "fakes/fake_ledger.hpp"
#include "stores/audit.hpp"
#include "stores/dead_letters.hpp"

namespace notify::fakes {

/// Lifetime: `table` and `link` outlive this.
class FakeDeadLetters final : public stores::DeadLetters {
 public:
  struct Faults {
    FakeFault find;
    FakeFault replay;
  };
  Faults faults;

  FakeDeadLetters(FakeLedgerTable& table, FakeLink& link) : table_(table), link_(link) {}

  [[nodiscard]] async::Task<base::Expected<stores::DeadLetterPage>> find(
      stores::DeadLetterFilter filter, stores::DeadLetterStretch stretch, base::Deadline) override {
    return link_.travel(faults.find, [this, filter = std::move(filter), stretch] {
      return base::Expected<stores::DeadLetterPage>(look(filter, stretch));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::ReplayCounts>> replay(stores::ReplayBatch batch,
                                                                         base::Deadline) override {
    return link_.travel(faults.replay, [this, batch = std::move(batch)] {
      stores::ReplayCounts counts;
      for (const auto& item : batch.items) replay(batch, item, counts);
      return base::Expected<stores::ReplayCounts>(counts);
    });
  }

 private:
  using Row = FakeLedgerTable::Row;

  stores::DeadLetterPage look(const stores::DeadLetterFilter& filter,
                              const stores::DeadLetterStretch& stretch) {
    stores::DeadLetterPage page;
    for (const auto& [id, row] : table_.rows) {
      const base::WallTime at = id.uuid().instant();
      if (at < filter.from || at >= filter.until) continue;
      if (stretch.after && id <= *stretch.after) continue;
      // The history is read by its user's index if there is one: others are not even looked at.
      if (filter.user && row.record.notification.user != *filter.user) continue;
      ++page.looked_at;
      if (auto letter = letter_of(filter, row)) page.letters.push_back(std::move(*letter));
      if (page.letters.size() >= static_cast<std::size_t>(stretch.limit) ||
          page.looked_at >= stretch.looked_at_max) {
        page.next = id;
        break;
      }
    }
    return page;
  }

  static std::optional<stores::DeadLetter> letter_of(const stores::DeadLetterFilter& filter,
                                                     const Row& row) {
    const rules::Notification& n = row.record.notification;
    if (row.record.status != rules::Status::failed) return std::nullopt;
    if (filter.type && n.type != *filter.type) return std::nullopt;
    if (filter.notification && n.id != *filter.notification) return std::nullopt;
    stores::DeadLetter letter;
    letter.id = n.id;
    letter.user = n.user;
    letter.type = n.type;
    letter.expires_at = n.expires_at;
    letter.waits = row.due.has_value();
    if (!row.replays.empty()) letter.replayed_at = row.replays.back().at;
    const auto fits = [&filter](const std::string& provider, const std::string& code) {
      return (!filter.provider || provider == *filter.provider) &&
             (!filter.error_code || code == *filter.error_code);
    };
    if (row.attempts.empty()) {
      letter.error_code = stores::kNoDevice;
      return fits("", letter.error_code) ? std::optional(letter) : std::nullopt;
    }
    const rules::Attempt* found = nullptr;
    for (const rules::Attempt& attempt : row.attempts) {
      if (!is_last_word(row, attempt) || !fits(attempt.provider, attempt.error_code)) continue;
      if (found == nullptr || attempt.attempted_at > found->attempted_at) found = &attempt;
    }
    if (found == nullptr) return std::nullopt;
    letter.provider = found->provider;
    letter.error_code = found->error_code;
    letter.attempted_at = found->attempted_at;
    return letter;
  }

  static bool is_last_word(const Row& row, const rules::Attempt& attempt) {
    return std::none_of(row.attempts.begin(), row.attempts.end(), [&](const auto& other) {
      return other.device == attempt.device && other.retry_count > attempt.retry_count;
    });
  }

  void replay(const stores::ReplayBatch& batch, const stores::ReplayBatch::Item& item,
              stores::ReplayCounts& counts) {
    const auto found = table_.rows.find(item.id);
    if (found == table_.rows.end()) {
      ++counts.changed;
      return;
    }
    Row& row = found->second;
    const bool is_mine = std::any_of(row.replays.begin(), row.replays.end(),
                                     [&](const auto& replay) { return replay.job == batch.job; });
    if (is_mine) {
      ++counts.replayed;
    } else if (row.record.status != rules::Status::failed) {
      ++counts.changed;
    } else if (!batch.live_until && item.due_at >= row.record.notification.expires_at) {
      ++counts.expired;
    } else if (row.due) {
      ++counts.waiting;
    } else {
      ++counts.replayed;
      row.due = stores::Due{item.due_at, stores::DueReason::replay, {}};
      row.replays.push_back({batch.replayed_at, batch.job});
      base::WallTime& expires_at = row.record.notification.expires_at;
      if (batch.live_until) expires_at = std::max(expires_at, *batch.live_until);
    }
  }

  FakeLedgerTable& table_;
  FakeLink& link_;
};

class FakeAudit final : public stores::Audit {
 public:
  FakeFault fault;
  std::vector<stores::AuditEntry> entries;

  explicit FakeAudit(FakeLink& link) : link_(link) {}

  [[nodiscard]] async::Task<base::Expected<void>> append(stores::AuditEntry entry,
                                                         base::Deadline) override {
    const auto done = co_await link_.travel(fault, [this, entry = std::move(entry)] {
      entries.push_back(entry);
      return base::Expected<async::Unit>(async::Unit{});
    });
    if (!done) co_return base::fail(done.error());
    co_return base::Expected<void>();
  }

 private:
  FakeLink& link_;
};

}  // namespace notify::fakes
