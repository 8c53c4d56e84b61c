#include "push-simulator/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace notify::simulator {

/// The second half of a generated token, which only makes it as long as a real one.
constexpr const char* kTokenTail = "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5";
/// The same for one of FCM: an installation id, a colon, and this.
constexpr const char* kFcmTokenStart = "APA91b";
constexpr std::size_t kFcmTokenTail = 134;

using base::DeviceId;
using base::Errc;
using base::Expected;
using base::UserId;
using base::WallTime;

void Registry::replace_user(UserId user, std::vector<Device> devices) {
  const std::lock_guard lock(mutex_);
  const std::vector<DeviceId> old = users_[user].devices;
  for (const DeviceId id : old) erase(id);
  for (Device& device : devices) {
    device.user_id = user;
    insert(std::move(device));
  }
  users_[user].version = ++version_;
}

void Registry::generate(const GeneratedDevices& wanted, WallTime now) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t count = wanted.users * wanted.per_user;
  users_.reserve(users_.size() + wanted.users);
  devices_.reserve(devices_.size() + count);
  by_token_.reserve(by_token_.size() + count);
  for (std::uint64_t index = 0; index < wanted.users; ++index) {
    const auto user =
        UserId::parse(fmt::format("{:08x}-0000-4000-8000-{:012x}", wanted.seed, index));
    for (std::uint32_t number = 0; number < wanted.per_user; ++number) {
      const auto id = DeviceId::parse(
          fmt::format("{:08x}-{:04x}-4000-8001-{:012x}", wanted.seed, number, index));
      if (!user || !id) return;
      Device device;
      device.id = *id;
      device.user_id = *user;
      device.platform = wanted.platform;
      device.token =
          wanted.platform == Platform::android
              ? fmt::format("c{:08x}{:04x}{:09x}:{}{:a>{}}", wanted.seed, number, index,
                            kFcmTokenStart, "", kFcmTokenTail)
              : fmt::format("{:08x}{:08x}{:016x}{}", wanted.seed, number, index, kTokenTail);
      if (wanted.make_token) device.token = wanted.make_token(device.token);
      device.app_id = wanted.app_id;
      device.registered_at = now;
      device.last_seen = now;
      insert(std::move(device));
    }
  }
}

Expected<void> Registry::change_token(std::string_view token, const TokenChange& change) {
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = by_token_.equal_range(token);
  if (begin == end) return base::fail(Errc::not_found, "no device has this token");
  for (auto entry = begin; entry != end; ++entry) {
    Device& device = devices_.at(entry->second);
    if (change.dead_since) device.dead_since = *change.dead_since;
    if (change.is_active) {
      device.is_active = *change.is_active;
      touch(device);
    }
  }
  return {};
}

void Registry::clear() {
  const std::lock_guard lock(mutex_);
  users_.clear();
  devices_.clear();
  by_token_.clear();
}

DeviceSet Registry::devices_of(UserId user) const {
  const std::lock_guard lock(mutex_);
  DeviceSet set;
  const auto found = users_.find(user);
  if (found == users_.end()) return set;
  set.version = found->second.version;
  set.devices.reserve(found->second.devices.size());
  for (const DeviceId id : found->second.devices) set.devices.push_back(devices_.at(id));
  return set;
}

std::optional<Device> Registry::find(DeviceId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find(id);
  if (found == devices_.end()) return std::nullopt;
  return found->second;
}

std::optional<Device> Registry::find_by_token(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const Device* device = newest_with(token);
  if (device == nullptr) return std::nullopt;
  return *device;
}

std::optional<PushTarget> Registry::find_target(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const Device* device = newest_with(token);
  if (device == nullptr || device->platform != Platform::ios) return std::nullopt;
  return PushTarget{device->app_id, device->environment, device->dead_since};
}

/// Whatever the platform: Apple's devices and browsers can register with FCM too.
FcmTarget Registry::find_fcm_target(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const Device* device = newest_with(token);
  if (device == nullptr) return FcmTarget::unknown;
  return device->dead_since ? FcmTarget::gone : FcmTarget::registered;
}

bool Registry::report_invalid(DeviceId id, std::string_view token, WallTime since) {
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find(id);
  if (found == devices_.end()) return false;
  Device& device = found->second;
  if (!device.is_active || device.token != token || device.registered_at > since) return false;
  device.is_active = false;
  touch(device);
  return true;
}

Registry::Size Registry::size() const {
  const std::lock_guard lock(mutex_);
  return {users_.size(), devices_.size()};
}

void Registry::insert(Device device) {
  erase(device.id);
  device.version = ++version_;
  User& user = users_[device.user_id];
  user.devices.push_back(device.id);
  user.version = version_;
  by_token_.emplace(device.token, device.id);
  const DeviceId id = device.id;
  devices_.emplace(id, std::move(device));
}

void Registry::erase(DeviceId id) {
  const auto found = devices_.find(id);
  if (found == devices_.end()) return;
  User& user = users_[found->second.user_id];
  std::erase(user.devices, id);
  user.version = ++version_;
  const auto [begin, end] = by_token_.equal_range(found->second.token);
  for (auto entry = begin; entry != end; ++entry) {
    if (entry->second != id) continue;
    by_token_.erase(entry);
    break;
  }
  devices_.erase(found);
}

void Registry::touch(Device& device) {
  device.version = ++version_;
  users_[device.user_id].version = version_;
}

const Device* Registry::newest_with(std::string_view token) const {
  const Device* newest = nullptr;
  const auto [begin, end] = by_token_.equal_range(token);
  for (auto entry = begin; entry != end; ++entry) {
    const Device& device = devices_.at(entry->second);
    if (newest == nullptr || device.registered_at >= newest->registered_at) newest = &device;
  }
  return newest;
}

}  // namespace notify::simulator
