#include "clients/device_cache.hpp"

#include <optional>

namespace notify::clients {

using base::Expected;

/// One question to the origin, and all who wait for its answer.
struct DeviceCache::Flight {
  explicit Flight(async::Executor executor) : landed(std::move(executor)) {}
  async::Condition landed;
  std::optional<Expected<Devices>> answer;
};

async::Task<Expected<DeviceCache::Devices>> DeviceCache::user_devices(base::UserId user,
                                                                      base::Deadline deadline) {
  if (const Devices* known = find(user)) {
    if (options_.on_question) options_.on_question(true);
    co_return *known;
  }
  const auto found = flights_.find(user);
  if (found != flights_.end()) {
    const std::shared_ptr<Flight> flight = found->second;
    if (options_.on_question) options_.on_question(true);
    co_await flight->landed.wait([f = flight.get()] { return f->answer.has_value(); });
    co_return *flight->answer;
  }
  if (options_.on_question) options_.on_question(false);
  co_return co_await ask(user, deadline);
}

async::Task<Expected<DeviceCache::Devices>> DeviceCache::ask(base::UserId user,
                                                             base::Deadline deadline) {
  const auto flight = std::make_shared<Flight>(timers_.executor());
  flights_[user] = flight;
  const auto land = [this, user, f = flight.get()](Expected<Devices> answer) {
    flights_.erase(user);
    f->answer = std::move(answer);
    f->landed.notify();
  };
  try {
    land(co_await origin_.user_devices(user, deadline));
  } catch (...) {
    land(base::fail(base::Errc::cancelled, "the question was cancelled"));
    throw;
  }
  if (*flight->answer) remember(user, **flight->answer);
  co_return *flight->answer;
}

async::Task<Expected<void>> DeviceCache::report_invalid_token(InvalidToken report,
                                                              base::Deadline deadline) {
  forget(report.user);
  return origin_.report_invalid_token(std::move(report), deadline);
}

const DeviceCache::Devices* DeviceCache::find(base::UserId user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return nullptr;
  if (found->second->until <= timers_.clock().steady_now()) {
    forget(user);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->devices;
}

void DeviceCache::remember(base::UserId user, const Devices& devices) {
  forget(user);
  if (devices.empty() || options_.ttl.count() == 0) return;
  entries_.push_front({user, devices, timers_.clock().steady_now() + options_.ttl});
  by_user_[user] = entries_.begin();
  if (entries_.size() > options_.users_max) forget(entries_.back().user);
}

void DeviceCache::forget(base::UserId user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  entries_.erase(found->second);
  by_user_.erase(found);
}

}  // namespace notify::clients
