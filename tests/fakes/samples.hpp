#pragma once
// Notifications and devices for tests: valid, and easy to tell apart.

#include "fakes/manual_clock.hpp"
#include "rules/delivery.hpp"
#include "rules/notification.hpp"

namespace notify::fakes {

inline base::Uuid uuid(std::string_view text) { return base::Uuid::parse(text).value(); }

inline base::UserId sample_user() {
  return base::UserId(uuid("a11ce000-0000-4000-8000-000000000001"));
}

/// A notification created at `at`; `n` makes its id.
inline rules::Notification sample_notification(base::WallTime at, std::uint8_t n = 1) {
  rules::Notification notification;
  notification.id = base::NotificationId(base::uuid_v7_from(at, {0, 0, 0, 0, 0, 0, 0, 0, 0, n}));
  notification.user = sample_user();
  notification.type = "message";
  notification.title = "Dora";
  notification.body = "Are you coming?";
  notification.expires_at = at + std::chrono::hours(4);
  return notification;
}

inline rules::Device sample_device(std::uint8_t n = 1) {
  rules::Device device;
  device.id = base::DeviceId(base::uuid_v7_from(base::WallTime(), {0, 0, 0, 0, 0, 0, 0, 0, 1, n}));
  device.platform = rules::Platform::ios;
  device.token = base::Secret(std::string(64, static_cast<char>('0' + n % 10)));
  device.app_id = "com.whispr.app";
  return device;
}

}  // namespace notify::fakes
