#pragma once
// Apple's provider API as pure functions: what to send for a notification. rules/apns_answer.hpp
// has the answers.
// Source: Apple, "Sending notification requests to APNs", "Generating a remote notification".

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "rules/delivery.hpp"
#include "rules/notification.hpp"
#include "rules/push_service.hpp"
#include "rules/style.hpp"

namespace notify::rules {

/// Apple refuses more than this with 413 PayloadTooLarge.
inline constexpr std::size_t kApnsPayloadMax = 4096;

/// The headers of one request, besides :path and authorization.
struct ApnsHeaders {
  std::string id;              ///< apns-id: the same for every try of one (notification, device)
  std::string_view push_type;  ///< alert or background
  std::string_view priority;   ///< "10" or "5"
  std::string expiration;      ///< UNIX seconds
  std::string collapse_id;     ///< empty: none
};

[[nodiscard]] ApnsHeaders apns_headers(const Notification& notification, base::DeviceId device);

/// The keys of the body that this service writes. `data` shares the object and cannot have them.
inline constexpr std::array<std::string_view, 4> kApnsPayloadKeys = {"aps", "notification_id",
                                                                     "preview", "quiet"};
[[nodiscard]] bool is_apns_payload_key(std::string_view key);

/// The JSON body, at most kApnsPayloadMax bytes for a notification that was accepted: its texts are
/// cut if need be. What the
/// style leaves out is not in it; a preview level other than `full` is told to the app, at
/// "preview", whose extension may put in what it has decrypted. A background push in quiet hours
/// has `"quiet":true`: the app must not sound for it.
[[nodiscard]] std::string apns_payload(const Notification& notification, const Style& style,
                                       const OwnTexts& own);
/// APNs is asked in one environment, and a token of the other one means nothing there.
[[nodiscard]] std::optional<Flaw> apns_flaw_of(const Device& device, Environment asked);

/// The entry of the table in rules/push_services.cpp.
[[nodiscard]] PushService apns_service();

/// `/3/device/<token>`, or empty if the token is not hexadecimal: then no request can carry it.
[[nodiscard]] std::string apns_path(const base::Secret& token);

}  // namespace notify::rules
