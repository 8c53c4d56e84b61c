#pragma once
// What travels through the service. A Notification never changes after it was accepted: the row,
// the queue item and the payload are all made from it. What does change (tries, status) lives
// beside it, in Progress.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/strong_id.hpp"

namespace notify::rules {

enum class Priority : std::uint8_t { high = 0, medium = 1, low = 2 };

inline constexpr Priority kPriorities[] = {Priority::high, Priority::medium, Priority::low};

/// The names in the database and in the queue's keys.
[[nodiscard]] std::string_view name(Priority priority);
[[nodiscard]] std::optional<Priority> parse_priority(std::string_view text);

/// A notification that devices are told to remove.
struct Retracted {
  base::NotificationId id;
  std::string collapse_id;  ///< its own; empty: none
  bool background = false;  ///< it was one

  friend bool operator==(const Retracted&, const Retracted&) = default;
};

/// What the app shows and gets, besides title and body. Kept in the column `payload`.
struct Presentation {
  std::map<std::string, std::string> data;  // sorted: the canonical encoding needs an order
  std::string collapse_id;
  std::optional<std::int32_t> badge;
  std::string sound;
  std::string category;
  bool mutable_content = false;
  bool background = false;
  bool mention = false;               ///< the user is mentioned in what it is about
  std::vector<Retracted> retracts{};  ///< not empty: it is a retraction (rules/retraction.hpp)

  friend bool operator==(const Presentation&, const Presentation&) = default;
};

/// Which template its texts were made of.
struct TemplateUsed {
  std::string name;
  std::int32_t revision = 0;
  std::string locale;  ///< the language it is in; empty: the default text

  friend bool operator==(const TemplateUsed&, const TemplateUsed&) = default;
};

struct Notification {
  base::NotificationId id;  ///< UUIDv7; its instant is created_at
  base::UserId user;
  std::optional<base::ConversationId> conversation;
  std::optional<base::MessageId> message;
  std::string type;
  std::string title;
  std::string body;
  Presentation presentation;
  std::map<std::string, std::string> labels;
  std::optional<TemplateUsed> template_used;  ///< on record only: delivery has the texts
  Priority priority = Priority::medium;
  base::WallTime expires_at;
  std::optional<base::WallTime> deliver_at;  ///< scheduled; unset: at once

  [[nodiscard]] base::WallTime created_at() const { return id.uuid().instant(); }
  /// From when its lifetime and its retries count.
  [[nodiscard]] base::WallTime begins_at() const { return deliver_at.value_or(created_at()); }
  [[nodiscard]] bool is_mention() const { return presentation.mention || type == "mention"; }
  [[nodiscard]] bool is_retraction() const { return !presentation.retracts.empty(); }

  friend bool operator==(const Notification&, const Notification&) = default;
};

/// `unknown`: auth-service named none, or one that this version does not know.
enum class Platform : std::uint8_t { ios = 1, android, web, unknown };
[[nodiscard]] std::string_view name(Platform platform);

/// The two worlds of Apple: a token of one means nothing in the other. `unknown`: auth-service did
/// not say.
enum class Environment : std::uint8_t { unknown = 0, production, sandbox };
[[nodiscard]] std::string_view name(Environment environment);

/// A device as auth-service describes it.
struct Device {
  base::DeviceId id;  ///< nil: auth-service named none, or none that is a UUID
  Platform platform = Platform::ios;
  base::Secret token;
  std::string app_id;  ///< the bundle id; empty: the configured topic
  base::WallTime registered_at;
  Environment environment = Environment::unknown;
};

/// A status only moves up a rank; the ranks are in SQL, notification_status_rank(), where every
/// update goes by them.
enum class Status : std::uint8_t {
  pending = 1,
  deferred,
  sent,
  failed,
  expired,
  suppressed,
  cancelled,
  superseded,
  delivered,
  opened,
};
[[nodiscard]] std::string_view name(Status status);
[[nodiscard]] std::optional<Status> parse_status(std::string_view text);
/// Nothing more will be tried.
[[nodiscard]] bool is_final(Status status);

enum class AttemptStatus : std::uint8_t { delivered = 1, token_gone, failed, retry, unknown };
[[nodiscard]] std::string_view name(AttemptStatus status);
[[nodiscard]] std::optional<AttemptStatus> parse_attempt_status(std::string_view text);
/// This device is not tried again for this notification.
[[nodiscard]] bool is_final(AttemptStatus status);

/// One try to reach one device: a row of delivery_attempts.
struct Attempt {
  base::AttemptId id;
  base::DeviceId device;
  AttemptStatus status = AttemptStatus::unknown;
  std::string error_code;     ///< at most 50 characters; empty if delivered
  std::string error_message;  ///< for people; never holds a token or content
  std::int32_t retry_count = 0;
  base::WallTime attempted_at;
  std::optional<base::WallTime> next_retry_at;
  std::string provider;  ///< who was asked; empty: nobody, there is none for the platform
};

/// The id of an attempt is made of what it is an attempt of, so writing an outcome twice is
/// harmless, and it lies in its notification's partition (decision D-4).
[[nodiscard]] base::AttemptId attempt_id(base::NotificationId notification, base::DeviceId device,
                                         std::int32_t retry_count);

}  // namespace notify::rules
