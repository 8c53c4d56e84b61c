#pragma once
// What a worker knows of changed settings, to judge whether an answer of an earlier time still
// holds: of each user the newest change, and since when it knows of all of them. Whoever shares the
// answers may have stopped, or come back with older data: only what is known here counts.

#include <absl/container/flat_hash_map.h>

#include <optional>

#include "base/uuid.hpp"
#include "stores/settings.hpp"

namespace notify::stores {

struct KnownChangesLimits {
  /// The longest that a transaction takes from its first statement to its commit.
  std::chrono::milliseconds commit_max{15'000};
  /// Changes are remembered for so long at least, if there are not more than `users_max`.
  std::chrono::milliseconds span{3'600'000};
  /// An answer further ahead of the last look is by the clock of another database.
  std::chrono::milliseconds ahead_max{12'000};
  std::size_t users_max = 200'000;
};

/// Sans-io. All times are those of the database's clock.
class KnownChanges {
 public:
  explicit KnownChanges(KnownChangesLimits limits) : limits_(limits) {}

  /// From when on changes have to be looked for at first.
  [[nodiscard]] base::WallTime first_since(base::WallTime now) const {
    return now - limits_.span - limits_.commit_max;
  }

  /// A look for the changes since `asked_since` found these. The next one has to ask for those
  /// since `found.now` - `commit_max`.
  void note(const SettingsChanges& found, base::WallTime asked_since);

  /// Whether settings of this user that were loaded then are those of now, as far as looks can
  /// tell. Never before the first look.
  [[nodiscard]] bool still_holds(const base::Uuid& user, base::WallTime loaded_at) const;

  [[nodiscard]] std::size_t users() const { return young_.size() + old_.size(); }

 private:
  using Changed = absl::flat_hash_map<base::Uuid, base::WallTime>;
  void grow_older(base::WallTime now);

  KnownChangesLimits limits_;
  Changed young_;
  Changed old_;
  base::WallTime young_since_;
  base::WallTime looked_at_;
  /// Of what was loaded from then on, every change after the loading is known. Unset before the
  /// first look.
  std::optional<base::WallTime> horizon_;
};

}  // namespace notify::stores
