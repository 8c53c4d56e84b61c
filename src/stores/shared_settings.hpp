#pragma once
// The settings that one node has read, for the others: between the memory of a worker and
// PostgreSQL. A cache of old answers, no more: who reads here judges by what they know of changes
// (stores::KnownChanges) whether an answer still holds.

#include <optional>
#include <vector>

#include "stores/settings.hpp"

namespace notify::stores {

struct SharedSettings {
  base::UserId user;
  SettingsPtr settings;
  base::WallTime loaded_at;  ///< LoadedSettings::at
};

/// Threading: one executor.
class SettingsSharing {
 public:
  virtual ~SettingsSharing() = default;

  /// One for each user, in order; unset: nobody has shared any, or they cannot be read.
  /// default_settings() itself for who had set nothing. Errors: at once if there is no connection.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<std::optional<SharedSettings>>>>
  find(std::vector<base::UserId> users, base::Deadline deadline) = 0;

  /// Leaves alone what was loaded later. What is too large is not shared.
  [[nodiscard]] virtual async::Task<base::Expected<void>> put(std::vector<SharedSettings> settings,
                                                              base::Deadline deadline) = 0;

  [[nodiscard]] virtual async::Task<base::Expected<void>> forget(std::vector<base::UserId> users,
                                                                 base::Deadline deadline) = 0;
};

}  // namespace notify::stores
