#include "stores/settings_cache.hpp"

#include <algorithm>
#include <utility>

namespace notify::stores {

using base::Expected;

namespace {

constexpr async::BatcherLimits kLoads{.batch_max = 500, .flights_max = 4, .waiting_max = 100'000};

}  // namespace

SettingsCache::SettingsCache(SettingsSource& source, async::Timers& timers,
                             SettingsCacheOptions options, SettingsCacheEvents events,
                             async::OnEscape on_escape)
    : source_(source),
      timers_(timers),
      options_(options),
      events_(std::move(events)),
      young_since_(timers.clock().steady_now()),
      look_since_(timers.clock().now() - options.overlap),
      loads_(timers, kLoads, on_escape,
             [this](std::vector<base::UserId> users) { return load(std::move(users)); }),
      loops_(timers.executor(), on_escape) {}

void SettingsCache::start() { loops_.spawn(look_loop()); }

async::Task<void> SettingsCache::stop() {
  co_await loops_.stop();
  co_await loads_.stop();
}

std::size_t SettingsCache::size() const { return young_.users() + old_.users(); }

bool SettingsCache::is_trusted() const {
  return looked_at_ != base::SteadyTime::min() &&
         timers_.clock().steady_now() < looked_at_ + options_.stale_max;
}

bool SettingsCache::knows_last_change(const base::Uuid& user, LookNumber read_after) const {
  for (const Generation* generation : {&young_, &old_}) {
    const auto changed = generation->changed.find(user);
    if (changed != generation->changed.end()) return read_after >= changed->second;
  }
  return true;
}

SettingsPtr SettingsCache::peek(base::UserId user) const {
  if (!is_trusted()) return nullptr;
  for (const Generation* generation : {&young_, &old_}) {
    const auto is_default = generation->defaults.find(user.uuid());
    if (is_default != generation->defaults.end() &&
        knows_last_change(user.uuid(), is_default->second)) {
      events_.asked(true);
      return default_settings();
    }
    const auto other = generation->others.find(user.uuid());
    if (other != generation->others.end() &&
        knows_last_change(user.uuid(), other->second.read_after)) {
      events_.asked(true);
      return other->second.settings;
    }
  }
  return nullptr;
}

async::Task<Expected<SettingsPtr>> SettingsCache::find(base::UserId user) {
  std::vector<base::UserId> alone{user};
  auto found = co_await find_all(std::move(alone));
  co_return std::move(found.front());
}

async::Task<std::vector<Expected<SettingsPtr>>> SettingsCache::find_all(
    std::vector<base::UserId> users) {
  return loads_.submit(std::move(users), {});
}

async::Task<std::vector<Expected<SettingsPtr>>> SettingsCache::load(
    std::vector<base::UserId> users) {
  // Before the question: what it does not know yet is a change that a later look will see.
  const LookNumber read_after = looks_;
  std::vector<base::UserId> distinct = users;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const auto loaded = co_await source_.load(distinct, timers_.after(options_.step_timeout));
  std::vector<Expected<SettingsPtr>> results;
  results.reserve(users.size());
  for (std::size_t i = 0; i < users.size(); ++i) events_.asked(false);
  if (!loaded) {
    results.assign(users.size(), base::fail(loaded.error()));
    co_return results;
  }
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    remember(distinct[i].uuid(), (*loaded)[i], read_after);
  }
  for (const base::UserId user : users) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), user) - distinct.begin();
    results.emplace_back((*loaded)[static_cast<std::size_t>(place)]);
  }
  co_return results;
}

void SettingsCache::remember(const base::Uuid& user, const SettingsPtr& settings,
                             LookNumber read_after) {
  if (young_.users() >= options_.users_max / 2) grow_older();
  if (settings == default_settings()) {
    young_.others.erase(user);
    young_.defaults.insert_or_assign(user, read_after);
  } else {
    young_.defaults.erase(user);
    young_.others.insert_or_assign(user, Known{settings, read_after});
  }
}

async::Task<void> SettingsCache::look_loop() {
  for (;;) {
    co_await look();
    if (timers_.clock().steady_now() >= young_since_ + options_.ttl / 2) grow_older();
    co_await timers_.sleep_for(options_.look_interval);
  }
}

async::Task<void> SettingsCache::look() {
  const base::SteadyTime asked_at = timers_.clock().steady_now();
  const auto found = co_await source_.changed_since(look_since_, options_.changes_max,
                                                    timers_.after(options_.step_timeout));
  if (!found) {
    events_.step_failed("look", found.error());
    co_return;
  }
  note(*found);
  looked_at_ = asked_at;
  look_since_ = found->now - options_.overlap;
}

void SettingsCache::note(const SettingsChanges& found) {
  ++looks_;
  if (!found.is_complete) {
    // Nobody knows who else.
    young_ = {};
    old_ = {};
  }
  absl::flat_hash_map<base::Uuid, std::int32_t> seen;
  for (const SettingsChange& change : found.changes) {
    seen.insert_or_assign(change.row, change.revision);
    const auto before = seen_.find(change.row);
    if (before != seen_.end() && before->second == change.revision) continue;
    young_.changed.insert_or_assign(change.user.uuid(), looks_);
  }
  seen_ = std::move(seen);
}

/// The old ones are forgotten, and with them the changes that only they could miss.
void SettingsCache::grow_older() {
  old_ = std::exchange(young_, Generation());
  young_since_ = timers_.clock().steady_now();
}

}  // namespace notify::stores
