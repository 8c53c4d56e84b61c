#pragma once
// The answer of Firebase Cloud Messaging to one message: pure, no socket, no clock of its own.

#include <simdjson.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "push-simulator/fcm_schema.hpp"

namespace notify::simulator {

/// FCM's knowledge of a registration token or installation id.
enum class FcmTarget : std::uint8_t { registered = 1, gone, unknown };

/// The port of the rules to the registry.
class FcmTargets {
 public:
  virtual ~FcmTargets() = default;
  [[nodiscard]] virtual FcmTarget find_fcm_target(std::string_view token) const = 0;
};

struct FcmVerdict {
  int status = 200;
  std::string_view rpc_status;              ///< of google.rpc, as NOT_FOUND; empty if accepted
  std::string_view error_code;              ///< of an FcmError, as UNREGISTERED; may be empty
  std::string message;                      ///< for people
  std::optional<FieldViolation> violation;  ///< of a google.rpc.BadRequest
  bool is_json = false;
  bool validate_only = false;
  // Views into the rules' parser: valid until the next judge().
  std::string_view token;
  std::string_view priority;
  std::string_view ttl;
  std::string_view collapse_key;
  std::string_view tag;
  std::string_view notification_id;  ///< of `data`

  /// For the books: the more precise of the two codes.
  [[nodiscard]] std::string_view reason() const {
    return error_code.empty() ? rpc_status : error_code;
  }
};

/// Applies Google's rules in a fixed order; the first that fails makes the answer.
/// Source:    Firebase, REST reference of projects.messages (v1), "ErrorCode", "About FCM
///            messages". README.md lists the points that Google leaves open.
/// Lifetime:  `targets` outlives this.
/// Threading: one thread.
class FcmRules {
 public:
  /// Bytes of all keys and values of `data` and of the notification's texts.
  static constexpr std::size_t kMaxPayload = 4096;
  static constexpr std::int64_t kMaxTtlSeconds = 28 * 24 * 3600;

  explicit FcmRules(const FcmTargets& targets) : targets_(targets) {}

  [[nodiscard]] FcmVerdict judge(std::string_view body);

 private:
  void check(simdjson::dom::element body, FcmVerdict& verdict);
  void read_fields(simdjson::dom::element message, FcmVerdict& verdict) const;
  void check_target(simdjson::dom::element message, FcmVerdict& verdict) const;

  const FcmTargets& targets_;
  simdjson::dom::parser parser_;
  std::string padded_;
};

}  // namespace notify::simulator
