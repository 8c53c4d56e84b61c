#pragma once
// Notifications and devices for tests: valid, and easy to tell apart.

#include <algorithm>

#include "fakes/manual_clock.hpp"
#include "rules/delivery.hpp"
#include "rules/notification.hpp"
#include "stores/ledger.hpp"
#include "stores/queue.hpp"

namespace notify::fakes {

inline base::Uuid uuid(std::string_view text) { return base::Uuid::parse(text).value(); }

/// `n` from 1 to 99 tells them apart.
inline base::UserId sample_user(int n = 1) {
  std::string text = "a11ce000-0000-4000-8000-000000000000";
  text[text.size() - 2] = static_cast<char>('0' + n / 10 % 10);
  text[text.size() - 1] = static_cast<char>('0' + n % 10);
  return base::UserId(uuid(text));
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

/// As a request of its own.
inline stores::Submission submission(rules::Notification n) {
  rules::Idempotency idempotency;
  std::copy(n.id.uuid().bytes().begin(), n.id.uuid().bytes().end(), idempotency.key.begin());
  idempotency.request = idempotency.key;
  return {std::move(n), std::move(idempotency)};
}
inline async::Task<base::Expected<void>> append_one(stores::Ledger& ledger, rules::Notification n) {
  std::vector<stores::Submission> alone;
  alone.push_back(submission(std::move(n)));
  auto results = co_await ledger.append(std::move(alone), {});
  if (!results.front()) co_return base::fail(results.front().error());
  co_return base::Expected<void>();
}
inline async::Task<base::Expected<void>> enqueue_one(stores::Queue& queue, stores::QueueItem item) {
  std::vector<stores::QueueItem> alone;
  alone.push_back(std::move(item));
  auto results = co_await queue.enqueue(std::move(alone));
  if (!results.front()) co_return base::fail(results.front().error());
  co_return base::Expected<void>();
}

inline rules::Device sample_device(std::uint8_t n = 1) {
  rules::Device device;
  device.id = base::DeviceId(base::uuid_v7_from(base::WallTime(), {0, 0, 0, 0, 0, 0, 0, 0, 1, n}));
  device.platform = rules::Platform::ios;
  device.token = base::Secret(std::string(64, static_cast<char>('0' + n % 10)));
  device.app_id = "com.whispr.app";
  return device;
}

/// As sample_device(), of FCM or of Web Push.
inline rules::Device sample_device_of(rules::Platform platform, std::uint8_t n) {
  rules::Device device = sample_device(n);
  device.platform = platform;
  if (platform == rules::Platform::web) {
    device.token =
        base::Secret(R"({"endpoint":"https://push.example/)" + device.id.to_string() + R"("})");
  }
  return device;
}

}  // namespace notify::fakes
