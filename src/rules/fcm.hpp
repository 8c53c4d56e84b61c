#pragma once
// Firebase Cloud Messaging as pure functions: what to send for a notification. Answers are judged
// in rules/fcm_answer.hpp.
// Source: Firebase, REST reference of projects.messages (v1), "About FCM messages".

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "rules/notification.hpp"
#include "rules/push_service.hpp"
#include "rules/style.hpp"

namespace notify::rules {

/// FCM refuses more than this. Google counts keys and values; this service counts the whole message
/// as JSON, its address left out, so it never comes too close.
inline constexpr std::size_t kFcmPayloadMax = 4096;

/// The keys of `data` that this service writes. A caller cannot have them.
/// - `notification_alert`: JSON text with the alert of a notification that the app itself shows
inline constexpr std::array<std::string_view, 4> kFcmPayloadKeys = {"notification_id", "preview",
                                                                    "quiet", "notification_alert"};
/// One of these, or one that FCM keeps for itself: `from`, `message_type`, `collapse_key`, and all
/// that begin with `google` or `gcm`.
[[nodiscard]] bool is_fcm_payload_key(std::string_view key);

enum class FcmMode : std::uint8_t {
  deliver = 1,
  validate_only,  ///< FCM checks the message and delivers nothing
};

/// The JSON body of one request: `{"message":{...}}`.
/// - A visible notification has its texts in `notification`, and what its platform calls sound,
///   badge, grouping and urgency in `android`, `apns` or `webpush`.
/// - A notification that the app rewrites (`mutable_content`) has no `notification` on Android and
///   the web: there FCM itself would show it, and the app would not see it in the background. Its
///   alert is in `data`.
/// - A background push is `data` alone.
///
/// Every try carries the same `tag` (on Apple devices `apns-collapse-id`), so that a repeat
/// replaces what is shown. `ttl` is what remains until the notification expires. The texts are cut
/// if the message is too long; without them it is as long as fcm_service().least_payload says.
[[nodiscard]] std::string fcm_body(const Notification& notification, const Style& style,
                                   const Device& device, const OwnTexts& own, base::WallTime now,
                                   FcmMode mode = FcmMode::deliver);

/// Whether the token has the characters and the length of an FCM registration token or of a
/// Firebase installation id. Apple's tokens are hexadecimal and those of browsers JSON: they have
/// not.
[[nodiscard]] bool is_fcm_token(std::string_view token);

/// The entry of the table in rules/push_services.cpp.
[[nodiscard]] PushService fcm_service();

}  // namespace notify::rules
