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
#include "rules/template.hpp"
#include "rules/violation.hpp"

namespace notify::rules {

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
  std::optional<TemplateUse> template_use;              ///< instead of texts
  std::optional<std::chrono::milliseconds> deliver_at;  ///< since the epoch
  bool deliver_at_malformed = false;                    ///< it came, and is no time
};

/// What a template made of a request.
struct Rendering {
  RenderedText text;
  std::string type;  ///< for a request that says none
  TemplateUsed used;
};
/// That, or what is wrong with the use.
using RenderResult = base::Expected<Rendering, Violations>;

/// What a type must be, in words and as a question.
inline constexpr const char* kTypeForm =
    "must be 1 to 50 lower-case letters, digits and underscores, starting with a letter, as in "
    "\"message\"";
[[nodiscard]] bool is_type(std::string_view type);

/// The form of the number on the app's icon, in words and as a question.
inline constexpr const char* kBadgeForm = "must be from 0 to 1,000,000";
[[nodiscard]] bool is_badge(std::int32_t number);

/// How long a notification that says nothing of its expiry is worth delivering (decision D-13).
struct ExpiryPolicy {
  std::chrono::seconds call{45};
  std::chrono::seconds message = std::chrono::hours(4);
  std::chrono::seconds other = std::chrono::hours(24);
  /// A type that is worth less is not kept for later: quiet hours do not make it live longer, and
  /// it does not wait for the end of a burst.
  std::chrono::seconds kept_min = std::chrono::minutes(10);
  [[nodiscard]] std::chrono::seconds of(std::string_view type) const;
  [[nodiscard]] bool is_kept(std::string_view type) const { return of(type) >= kept_min; }
};

/// `id` is the id the notification will have; its instant is "now", and a `deliver_at` that is not
/// after it is as none. `rendered` is for a request
/// that uses a template; without it, such a request is wrong.
[[nodiscard]] std::variant<Notification, Violations> validate(
    const SendRequest& request, base::NotificationId id, const ExpiryPolicy& expiry,
    const RenderResult* rendered = nullptr);

}  // namespace notify::rules
