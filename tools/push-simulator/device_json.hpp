#pragma once
// Devices in the control port's JSON.

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "push-simulator/registry.hpp"

namespace notify::simulator {

struct UserDevices {
  base::UserId user_id;
  std::vector<Device> devices;
};

/// One `{"user_id", "devices": [...]}`. Errors: invalid, with what is wrong in words.
[[nodiscard]] base::Expected<UserDevices> parse_user_devices(const nlohmann::json& value,
                                                             base::WallTime now);
[[nodiscard]] nlohmann::json to_json(const Device& device);

/// `2026-11-22T23:54:25.123Z`, or a number of milliseconds since 1970.
[[nodiscard]] base::Expected<base::WallTime> parse_time(const nlohmann::json& value);

}  // namespace notify::simulator
