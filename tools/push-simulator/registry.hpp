#pragma once
// Everybody's devices: auth-service reads them by user and by id, APNs by token. The one place that
// knows both what auth-service believes of a token and what Apple knows of it.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "base/strong_id.hpp"
#include "push-simulator/apns_rules.hpp"
#include "push-simulator/fcm_rules.hpp"

namespace notify::simulator {

enum class Platform : std::uint8_t { ios, android, web };

struct Device {
  base::DeviceId id;
  base::UserId user_id;
  Platform platform = Platform::ios;
  std::string vendor_device_id;
  std::string token;
  std::string app_id;
  PushEnvironment environment = PushEnvironment::production;
  base::WallTime registered_at;
  base::WallTime last_seen;
  bool is_active = true;
  std::int64_t version = 0;                  ///< set by the registry
  std::optional<base::WallTime> dead_since;  ///< Apple's knowledge; auth-service is not told
};

struct DeviceSet {
  std::vector<Device> devices;
  std::int64_t version = 0;
};

/// Changes to what is known of one token; what is absent stays.
struct TokenChange {
  std::optional<std::optional<base::WallTime>> dead_since;
  std::optional<bool> is_active;
};

struct GeneratedDevices {
  std::uint64_t users = 0;
  std::uint32_t per_user = 1;
  std::uint32_t seed = 0;
  std::string app_id;
  Platform platform = Platform::ios;
  /// The token of a device, from the text that an iOS device has for one; empty: that text.
  std::function<std::string(const std::string& text)> make_token{};
};

/// Threading: any.
class Registry final : public PushTargets, public FcmTargets {
 public:
  /// Replaces all devices of `user`. A device that another user had moves to this one.
  void replace_user(base::UserId user, std::vector<Device> devices);
  void generate(const GeneratedDevices& wanted, base::WallTime now);
  /// Errors: not_found.
  [[nodiscard]] base::Expected<void> change_token(std::string_view token,
                                                  const TokenChange& change);
  void clear();

  [[nodiscard]] DeviceSet devices_of(base::UserId user) const;
  [[nodiscard]] std::optional<Device> find(base::DeviceId id) const;
  [[nodiscard]] std::optional<Device> find_by_token(std::string_view token) const;
  [[nodiscard]] std::optional<PushTarget> find_target(std::string_view token) const override;
  [[nodiscard]] FcmTarget find_fcm_target(std::string_view token) const override;

  /// True if the device became inactive: it has this token and was not registered after `since`.
  bool report_invalid(base::DeviceId id, std::string_view token, base::WallTime since);

  struct Size {
    std::size_t users = 0;
    std::size_t devices = 0;
  };
  [[nodiscard]] Size size() const;

 private:
  struct User {
    std::vector<base::DeviceId> devices;
    std::int64_t version = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  void insert(Device device);
  void erase(base::DeviceId id);
  void touch(Device& device);
  [[nodiscard]] const Device* newest_with(std::string_view token) const;

  mutable std::mutex mutex_;
  std::unordered_map<base::UserId, User> users_;
  std::unordered_map<base::DeviceId, Device> devices_;
  /// A token may be on two devices for a while: the conflict that the service has to resolve.
  std::unordered_multimap<std::string, base::DeviceId, Hash, std::equal_to<>> by_token_;
  std::int64_t version_ = 0;
};

}  // namespace notify::simulator
