#pragma once
// The settings of the users of late, in memory, and what keeps them true: a look at the database
// four times a second for what was changed. What is remembered of a user counts only if it was read
// after the user's last change was seen, so a slow reader cannot bring old settings back.
//
// Who is not in memory is looked up among what the nodes share, if looks prove that it still holds
// (KnownChanges), else in PostgreSQL. A decision never waits for sharing.
//
// Not by LISTEN: a look works through any pooler, needs no way to catch up after a cut, and
// tells that nothing was missed (docs/adr/0008-looking-for-changes.md).

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>

#include "base/async/batcher.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "stores/known_changes.hpp"
#include "stores/shared_settings.hpp"

namespace notify::stores {

struct SettingsCacheOptions {
  std::size_t users_max = 200'000;
  std::chrono::milliseconds look_interval{250};
  /// A change is missed if its transaction takes longer than this to commit; then, and only then,
  /// it counts when what is remembered is read anew.
  std::chrono::milliseconds overlap{15'000};
  /// Who cannot look for so long trusts nothing that it remembers.
  std::chrono::milliseconds stale_max{10'000};
  /// What is remembered is read anew after half to all of this.
  std::chrono::milliseconds ttl{600'000};
  std::int32_t changes_max = 10'000;  ///< with more at once everything is forgotten
  std::chrono::milliseconds step_timeout{5000};
  /// What is shared may be so old. So long a time is looked back for changes at first.
  std::chrono::milliseconds shared_ttl{3'600'000};
  std::chrono::milliseconds shared_timeout{200};
  std::chrono::milliseconds shared_pause{1000};  ///< after a failure of sharing
  std::size_t sharing_max = 8;                   ///< tasks at once; further ones are dropped
};

enum class SettingsFrom : std::uint8_t { memory = 1, shared, source };

struct SettingsCacheEvents {
  std::function<void(SettingsFrom)> asked;
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
/// Errors:    the source's. Callers who ask at once share a query.
/// Limits:    users_max.
class SettingsCache {
 public:
  SettingsCache(SettingsSource& source, SettingsSharing& sharing, async::Timers& timers,
                SettingsCacheOptions options, SettingsCacheEvents events,
                async::OnEscape on_escape);

  void start();
  [[nodiscard]] async::Task<void> stop();

  /// What is known without asking; null if nothing is: then find() asks.
  [[nodiscard]] SettingsPtr peek(base::UserId user) const;

  [[nodiscard]] async::Task<base::Expected<SettingsPtr>> find(base::UserId user);
  /// One for each, in order.
  [[nodiscard]] async::Task<std::vector<base::Expected<SettingsPtr>>> find_all(
      std::vector<base::UserId> users);

  [[nodiscard]] std::size_t size() const;

 private:
  /// A count of looks that found changes or not: what is read after a look knows all that it saw.
  using LookNumber = std::uint32_t;
  struct Known {
    SettingsPtr settings;
    LookNumber read_after = 0;
  };
  /// Most users have set nothing: those take an id and a number.
  struct Generation {
    absl::flat_hash_map<base::Uuid, LookNumber> defaults;
    absl::flat_hash_map<base::Uuid, Known> others;
    absl::flat_hash_map<base::Uuid, LookNumber> changed;  ///< in which look it was seen
    LookNumber begun_after = 0;  ///< it knows the changes that looks after this one saw
    [[nodiscard]] std::size_t users() const { return defaults.size() + others.size(); }
  };

  [[nodiscard]] bool is_trusted() const;
  [[nodiscard]] bool knows_last_change(const base::Uuid& user, LookNumber read_after) const;
  void remember(const base::Uuid& user, const SettingsPtr& settings, LookNumber read_after);
  async::Task<std::vector<base::Expected<SettingsPtr>>> load(std::vector<base::UserId> users);
  /// One for each, in order; null for who has to be looked up in PostgreSQL.
  async::Task<std::vector<SettingsPtr>> find_shared(std::vector<base::UserId> users);
  async::Task<base::Expected<void>> load_missing(const std::vector<base::UserId>& users,
                                                 std::vector<SettingsPtr>& found);
  void share(const std::vector<base::UserId>& users, const LoadedSettings& loaded);
  void run_sharing(async::Task<base::Expected<void>> step);
  async::Task<void> finish_sharing(async::Task<base::Expected<void>> step);
  void sharing_failed(const base::Error& error);
  async::Task<void> look_loop();
  async::Task<void> look();
  void note(const SettingsChanges& found);
  void grow_older();

  SettingsSource& source_;
  SettingsSharing& sharing_;
  async::Timers& timers_;
  SettingsCacheOptions options_;
  SettingsCacheEvents events_;
  Generation young_;
  Generation old_;
  base::SteadyTime young_since_;
  LookNumber looks_ = 0;
  base::SteadyTime looked_at_ = base::SteadyTime::min();
  KnownChanges known_changes_;
  base::WallTime look_since_;                                ///< by the database's clock
  absl::flat_hash_map<base::Uuid, std::int32_t> seen_;       ///< row → revision, of the last look
  base::SteadyTime sharing_from_ = base::SteadyTime::min();  ///< not before
  async::Batcher<base::UserId, SettingsPtr> loads_;
  async::TaskGroup shares_;
  async::TaskGroup loops_;
};

}  // namespace notify::stores
