#include "stores/known_changes.hpp"

#include <algorithm>
#include <utility>

namespace notify::stores {

void KnownChanges::note(const SettingsChanges& found, base::WallTime asked_since) {
  const bool has_gap = !horizon_ || found.complete_since > asked_since;
  if (has_gap) {
    // Complete for transactions that began then; and what was loaded after a look knows all that
    // was committed before it.
    horizon_ = std::min(found.now, found.complete_since + limits_.commit_max);
    young_since_ = found.now;
  }
  for (const SettingsChange& change : found.changes) {
    base::WallTime& newest = young_[change.user.uuid()];
    newest = std::max(newest, change.at);
  }
  looked_at_ = found.now;
  const bool is_full = young_.size() >= limits_.users_max / 2;
  if (is_full || found.now >= young_since_ + limits_.span) grow_older(found.now);
}

/// The old ones are forgotten, and so answers that one of them could have ended count no more.
void KnownChanges::grow_older(base::WallTime now) {
  if (!old_.empty()) horizon_ = std::max(*horizon_, young_since_ + limits_.commit_max);
  old_ = std::exchange(young_, Changed());
  young_since_ = now;
}

bool KnownChanges::still_holds(const base::Uuid& user, base::WallTime loaded_at) const {
  if (!horizon_ || loaded_at < *horizon_) return false;
  if (loaded_at > looked_at_ + limits_.ahead_max) return false;
  for (const Changed* generation : {&young_, &old_}) {
    const auto changed = generation->find(user);
    if (changed == generation->end()) continue;
    if (loaded_at < changed->second + limits_.commit_max) return false;
  }
  return true;
}

}  // namespace notify::stores
