#pragma once
// Web Push as pure functions: what to send to a browser for a notification. Answers are judged in
// rules/web_push_answer.hpp, subscriptions are read in rules/web_push_subscription.hpp.
// Source: RFC 8030 (headers), WebKit "Meet Declarative Web Push" (the payload), W3C/WHATWG
//         Notifications API (the members of `notification`).

#include <string>
#include <string_view>

#include "rules/notification.hpp"
#include "rules/push_service.hpp"
#include "rules/style.hpp"

namespace notify::rules {

/// Bytes of plaintext: encrypted, they fill the 4,096 bytes that every push service takes.
inline constexpr std::size_t kWebPushPayloadMax = 3993;
/// Bytes of the page that a click opens.
inline constexpr std::size_t kAppUrlMax = 200;

/// The payload holds these besides the notification.
struct WebPushTexts {
  OwnTexts own;
  std::string app_url;  ///< the page that a click opens; at most kAppUrlMax bytes
};

/// The JSON that is encrypted, at most kWebPushPayloadMax bytes for a notification that was
/// accepted: its texts are cut if need be.
/// - A visible notification is declarative: `web_push` is 8030, and `notification` has what the
///   browser shows. Browsers without that form give the same JSON to the page's service worker.
/// - A background push has no `web_push`: `{"background":true,"data":{...}}`, for the service
///   worker alone.
/// - `data` has the caller's data, `notification_id`, and at "preview" a preview level other than
///   `full`: a service worker may put in what it has decrypted. A background push in quiet hours
///   has `"quiet":"true"`.
/// - `tag` is the collapse id, else the notification's id: a repeat replaces what is shown.
[[nodiscard]] std::string web_push_payload(const Notification& notification, const Style& style,
                                           const WebPushTexts& texts);

/// A key of `data` that this service writes.
[[nodiscard]] bool is_web_push_data_key(std::string_view key);

/// Seconds that the push service keeps the message: until the notification expires, at most 28
/// days. Microsoft's service refuses 0, so it gets at least 1.
/// Source: RFC 8030 §5.2; Firebase, "ttl"; reports of X-WNS-ERROR-DESCRIPTION about TTL 0.
[[nodiscard]] std::string web_push_ttl(const Notification& notification, std::string_view host,
                                       base::WallTime now);
/// Source: RFC 8030 §5.3.
[[nodiscard]] std::string_view web_push_urgency(const Notification& notification);

/// The entry of the table in rules/push_services.cpp: web devices whose token is a subscription.
[[nodiscard]] PushService web_push_service();

}  // namespace notify::rules
