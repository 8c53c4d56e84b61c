#pragma once
// The answers of APNs, and their consequences.
// Source: Apple, "Handling notification responses from APNs".

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "rules/meaning.hpp"
#include "rules/notification.hpp"

namespace notify::rules {

struct ApnsAnswer {
  int status = 0;
  std::string reason;                       ///< of the JSON body; may be empty
  std::optional<base::WallTime> timestamp;  ///< of a 410
  std::optional<std::chrono::seconds> retry_after;
};

/// Reads `{"reason": "...", "timestamp": ms}`; tolerates anything.
[[nodiscard]] ApnsAnswer parse_apns_answer(int status, std::string_view body,
                                           std::string_view retry_after, base::WallTime now);

/// The table.
[[nodiscard]] std::span<const Meaning> apns_answers();

/// The answer's row.
[[nodiscard]] const Meaning& apns_meaning(const ApnsAnswer& answer);

/// The answer's meaning for this device. It condemns the token only if it is surely about it:
/// - A 410 about a time before the device was registered is about an older registration.
/// - BadDeviceToken may mean that a token whose environment nobody named is of the other one.
/// - DeviceTokenNotForTopic may mean our own topic, if the device names no app.
[[nodiscard]] Outcome apns_outcome(const ApnsAnswer& answer, const Device& device);

}  // namespace notify::rules
