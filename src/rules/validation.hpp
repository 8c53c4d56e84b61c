#pragma once
// From what a caller sent to a Notification, or to the list of everything that is wrong with it.
// The limits are the ones that proto/notification/notification.proto states.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rules/notification.hpp"

namespace notify::rules {

/// One wrong field: its path, what is wrong and what would be right. Never quotes a value of a text
/// field: errors reach logs.
struct Violation {
  std::string field;
  std::string description;
};
using Violations = std::vector<Violation>;

/// A request as it came in: nothing about it is known to be true.
struct SendRequest {
  std::string_view user_id;
  std::string_view conversation_id;
  std::string_view message_id;
  std::string_view type;
  std::string_view title;
  std::string_view body;
  std::vector<std::pair<std::string_view, std::string_view>> data;
  std::int32_t priority = 0;                            ///< the number of the wire's enum
  std::optional<std::chrono::milliseconds> expires_at;  ///< since the epoch
  bool expires_at_malformed = false;                    ///< it came, and is no time
  std::string_view collapse_id;
  std::optional<std::int32_t> badge;
  std::string_view sound;
  std::string_view category;
  bool mutable_content = false;
  bool background = false;
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  std::string_view idempotency_key;
  bool mention = false;
};

/// Whether it can be a notification's type, and what to say if it cannot.
[[nodiscard]] bool is_type(std::string_view text);
inline constexpr const char* kTypeForm =
    "must be 1 to 50 lower-case letters, digits and underscores, starting with a letter, as in "
    "\"message\"";

/// How long a notification that says nothing of its expiry is worth delivering (decision D-13).
struct ExpiryPolicy {
  std::chrono::seconds call{45};
  std::chrono::seconds message = std::chrono::hours(4);
  std::chrono::seconds other = std::chrono::hours(24);
  [[nodiscard]] std::chrono::seconds of(std::string_view type) const;
};

/// `id` is the id the notification will have; its instant is "now".
[[nodiscard]] std::variant<Notification, Violations> validate(const SendRequest& request,
                                                              base::NotificationId id,
                                                              const ExpiryPolicy& expiry);

}  // namespace notify::rules
