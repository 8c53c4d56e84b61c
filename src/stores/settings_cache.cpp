#include "stores/settings_cache.hpp"

#include <algorithm>
#include <utility>

namespace notify::stores {

using base::Expected;

namespace {

constexpr async::BatcherLimits kLoads{.batch_max = 500, .flights_max = 4, .waiting_max = 100'000};

}  // namespace

SettingsCache::SettingsCache(SettingsSource& source, SettingsSharing& sharing,
                             async::Timers& timers, SettingsCacheOptions options,
                             SettingsCacheEvents events, async::OnEscape on_escape)
    : source_(source),
      sharing_(sharing),
      timers_(timers),
      options_(options),
      events_(std::move(events)),
      young_since_(timers.clock().steady_now()),
      known_changes_({.commit_max = options.overlap,
                      .span = options.shared_ttl,
                      .users_max = options.users_max}),
      look_since_(known_changes_.first_since(timers.clock().now())),
      loads_(timers, kLoads, on_escape,
             [this](std::vector<base::UserId> users) { return load(std::move(users)); }),
      shares_(timers.executor(), on_escape),
      loops_(timers.executor(), on_escape) {}

void SettingsCache::start() { loops_.spawn(look_loop()); }

async::Task<void> SettingsCache::stop() {
  co_await loops_.stop();
  co_await loads_.stop();
  co_await shares_.join();
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
      events_.asked(SettingsFrom::memory);
      return default_settings();
    }
    const auto other = generation->others.find(user.uuid());
    if (other != generation->others.end() &&
        knows_last_change(user.uuid(), other->second.read_after)) {
      events_.asked(SettingsFrom::memory);
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
  std::vector<base::UserId> distinct = users;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<SettingsPtr> found = co_await find_shared(distinct);
  std::vector<bool> was_shared;
  was_shared.reserve(found.size());
  for (const SettingsPtr& one : found) was_shared.push_back(one != nullptr);
  const Expected<void> loaded = co_await load_missing(distinct, found);
  std::vector<Expected<SettingsPtr>> results;
  results.reserve(users.size());
  for (const base::UserId user : users) {
    const auto place = static_cast<std::size_t>(
        std::lower_bound(distinct.begin(), distinct.end(), user) - distinct.begin());
    events_.asked(was_shared[place] ? SettingsFrom::shared : SettingsFrom::source);
    if (found[place]) {
      results.emplace_back(found[place]);
    } else {
      results.emplace_back(base::fail(loaded.error()));
    }
  }
  co_return results;
}

async::Task<std::vector<SettingsPtr>> SettingsCache::find_shared(std::vector<base::UserId> users) {
  std::vector<SettingsPtr> results(users.size());
  if (!is_trusted() || timers_.clock().steady_now() < sharing_from_) co_return results;
  auto found = co_await sharing_.find(users, timers_.after(options_.shared_timeout));
  if (!found) {
    sharing_failed(found.error());
    co_return results;
  }
  // By what is known now, after the answer: an answer that is older than that is judged, too.
  if (!is_trusted()) co_return results;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const std::optional<SharedSettings>& one = (*found)[i];
    if (!one || !known_changes_.still_holds(users[i].uuid(), one->loaded_at)) continue;
    results[i] = one->settings;
    remember(users[i].uuid(), one->settings, looks_);
  }
  co_return results;
}

/// Lifetime: what is referred to is in the caller's frame.
async::Task<Expected<void>> SettingsCache::load_missing(const std::vector<base::UserId>& users,
                                                        std::vector<SettingsPtr>& found) {
  std::vector<base::UserId> missing;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < users.size(); ++i) {
    if (found[i]) continue;
    missing.push_back(users[i]);
    places.push_back(i);
  }
  if (missing.empty()) co_return Expected<void>();
  // Before the question: what it does not know yet is a change that a later look will see.
  const LookNumber read_after = looks_;
  const auto loaded = co_await source_.load(missing, timers_.after(options_.step_timeout));
  if (!loaded) co_return base::fail(loaded.error());
  for (std::size_t i = 0; i < missing.size(); ++i) {
    found[places[i]] = loaded->settings[i];
    remember(missing[i].uuid(), loaded->settings[i], read_after);
  }
  share(missing, *loaded);
  co_return Expected<void>();
}

/// Not what was changed just now: nobody could tell whether that was loaded before or after.
void SettingsCache::share(const std::vector<base::UserId>& users, const LoadedSettings& loaded) {
  if (!is_trusted() || timers_.clock().steady_now() < sharing_from_) return;
  std::vector<SharedSettings> shared;
  for (std::size_t i = 0; i < users.size(); ++i) {
    if (!known_changes_.still_holds(users[i].uuid(), loaded.at)) continue;
    shared.push_back({users[i], loaded.settings[i], loaded.at});
  }
  if (shared.empty()) return;
  run_sharing(sharing_.put(std::move(shared), timers_.after(options_.step_timeout)));
}

/// Nobody waits for it, and what is too much is left out: it is a cache.
void SettingsCache::run_sharing(async::Task<Expected<void>> step) {
  if (shares_.size() < options_.sharing_max) shares_.spawn(finish_sharing(std::move(step)));
}

async::Task<void> SettingsCache::finish_sharing(async::Task<Expected<void>> step) {
  const auto done = co_await std::move(step);
  if (!done) sharing_failed(done.error());
}

void SettingsCache::sharing_failed(const base::Error& error) {
  sharing_from_ = timers_.clock().steady_now() + options_.shared_pause;
  events_.step_failed("share", error);
}

/// An answer to a question of before the young generation is not remembered: the changes that it
/// may have missed are forgotten with the old one, or are forgotten already.
void SettingsCache::remember(const base::Uuid& user, const SettingsPtr& settings,
                             LookNumber read_after) {
  if (young_.users() >= options_.users_max / 2) grow_older();
  if (read_after < young_.begun_after) return;
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
  const bool is_first = looks_ == 0;
  ++looks_;
  known_changes_.note(found, look_since_);
  if (found.complete_since > look_since_) {
    // Nobody knows who else.
    young_ = {.begun_after = looks_};
    old_ = {};
  }
  absl::flat_hash_map<base::Uuid, std::int32_t> seen;
  std::vector<base::UserId> changed;
  for (const SettingsChange& change : found.changes) {
    seen.insert_or_assign(change.row, change.revision);
    const auto before = seen_.find(change.row);
    if (before != seen_.end() && before->second == change.revision) continue;
    young_.changed.insert_or_assign(change.user.uuid(), looks_);
    changed.push_back(change.user);
  }
  seen_ = std::move(seen);
  // It counts no more in any case; but what is wrong need not stand there. The first look finds
  // those of an hour, whose settings others have shared anew.
  if (!is_first && !changed.empty() && timers_.clock().steady_now() >= sharing_from_) {
    run_sharing(sharing_.forget(std::move(changed), timers_.after(options_.step_timeout)));
  }
}

/// The old ones are forgotten, and with them the changes that only they could miss.
void SettingsCache::grow_older() {
  old_ = std::exchange(young_, Generation{.begun_after = looks_});
  young_since_ = timers_.clock().steady_now();
}

}  // namespace notify::stores
