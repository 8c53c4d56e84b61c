#include "stores/local_limits.hpp"

namespace notify::stores {

using std::chrono::milliseconds;

LocalLimits::Window* LocalLimits::find(const std::string& name, milliseconds now) {
  const auto found = counters_.find(name);
  if (found == counters_.end()) return nullptr;
  if (found->second.end > now) return &found->second;
  counters_.erase(found);
  return nullptr;
}

/// What has ended goes when there is no room, but not in every call.
bool LocalLimits::has_room(milliseconds now) {
  constexpr milliseconds kSweepInterval{1'000};
  if (counters_.size() < counters_max_) return true;
  if (now < swept_at_ + kSweepInterval) return false;
  swept_at_ = now;
  std::erase_if(counters_, [now](const auto& entry) { return entry.second.end <= now; });
  return counters_.size() < counters_max_;
}

LimitTaken LocalLimits::take(const LimitClaim& claim, milliseconds now) {
  LimitTaken taken;
  taken.counted_at = now;
  for (std::size_t i = 0; i < claim.size(); ++i) {
    const Window* window = find(claim[i].name, now);
    if (window == nullptr || window->counted < claim[i].allowed) continue;
    const milliseconds wait = window->end - now;
    if (taken.reached && wait <= taken.resets_in) continue;
    taken.reached = i;
    taken.counted = window->counted;
    taken.resets_in = wait;
  }
  if (taken.reached) return taken;
  for (const rules::LimitCounter& counter : claim) {
    if (Window* window = find(counter.name, now)) {
      ++window->counted;
    } else if (has_room(now)) {
      counters_.emplace(counter.name, Window{now, now + counter.window, 1});
    }
  }
  return taken;
}

void LocalLimits::give_back(const LimitReturn& what, milliseconds now) {
  for (const rules::LimitCounter& counter : what.claim) {
    Window* window = find(counter.name, now);
    if (window != nullptr && window->begin <= what.counted_at && window->counted > 0) {
      --window->counted;
    }
  }
}

std::vector<LimitStanding> LocalLimits::look(const LimitClaim& claim, milliseconds now) {
  std::vector<LimitStanding> standings;
  for (const rules::LimitCounter& counter : claim) {
    const Window* window = find(counter.name, now);
    standings.push_back(window == nullptr ? LimitStanding{0, counter.window}
                                          : LimitStanding{window->counted, window->end - now});
  }
  return standings;
}

}  // namespace notify::stores
