#include "rules/apns.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/json_object.hpp"
#include "rules/fitted_text.hpp"
#include "rules/retry_after.hpp"

namespace notify::rules {
namespace {

/// A style can add this much: the interruption level or "quiet", and the preview level.
constexpr std::size_t kApnsStyleRoom = 52;

/// `aps` of a visible notification: alert, badge, sound, thread-id, category, mutable-content.
base::JsonObject aps_of_alert(const Notification& n, const Style& style, const ShownTexts& shown) {
  base::JsonObject alert;
  alert.text_if_set("title", shown.title).text_if_set("body", shown.body);
  base::JsonObject aps;
  aps.object("alert", std::move(alert));
  if (n.presentation.badge) aps.number("badge", *n.presentation.badge);
  aps.text_if_set("sound", style.sound);
  if (style.is_silent) aps.text("interruption-level", "passive");
  if (n.conversation) aps.text("thread-id", n.conversation->to_string());
  aps.text_if_set("category", n.presentation.category);
  if (n.presentation.mutable_content) aps.number("mutable-content", 1);
  return aps;
}

struct ApnsMeaning {
  int status;
  std::string_view reason;
  OutcomeKind kind;
  std::string_view message;
};

using enum OutcomeKind;

/// Apple's table of status codes and reasons, with what each means for us. Source: Apple, "Handling
/// notification responses from APNs". A reason that is not here is judged by its status alone.
constexpr std::array kApnsMeanings = {
    ApnsMeaning{400, "BadCollapseId", rejected, "the collapse id is too long"},
    ApnsMeaning{400, "BadDeviceToken", token_gone,
                "the token is malformed or of another environment"},
    ApnsMeaning{400, "BadExpirationDate", rejected, "apns-expiration is invalid"},
    ApnsMeaning{400, "BadMessageId", rejected, "apns-id is invalid"},
    ApnsMeaning{400, "BadPriority", rejected, "apns-priority is invalid"},
    ApnsMeaning{400, "BadTopic", bad_credentials, "apns-topic is invalid: check apns.topic"},
    ApnsMeaning{400, "DeviceTokenNotForTopic", token_gone, "the token belongs to another app"},
    ApnsMeaning{400, "DuplicateHeaders", rejected, "a header was repeated"},
    ApnsMeaning{400, "IdleTimeout", retry_later, "the connection was idle for too long"},
    ApnsMeaning{400, "InvalidPushType", rejected, "apns-push-type is invalid"},
    ApnsMeaning{400, "MissingDeviceToken", rejected, "the token is missing"},
    ApnsMeaning{400, "MissingTopic", bad_credentials, "apns-topic is missing: check apns.topic"},
    ApnsMeaning{400, "PayloadEmpty", rejected, "the payload was empty"},
    ApnsMeaning{400, "TopicDisallowed", bad_credentials, "the key may not push to this topic"},
    ApnsMeaning{403, "BadCertificate", bad_credentials, "the certificate is bad"},
    ApnsMeaning{403, "BadCertificateEnvironment", bad_credentials,
                "the certificate is for the other environment"},
    ApnsMeaning{403, "BadEnvironmentKeyIdInToken", bad_credentials,
                "the key is for the other environment"},
    // Seen in the wild beside the documented spelling.
    ApnsMeaning{403, "BadEnvironmentKeyInToken", bad_credentials,
                "the key is for the other environment"},
    ApnsMeaning{403, "ExpiredProviderToken", bad_credentials,
                "the provider token is too old: check this machine's clock"},
    ApnsMeaning{403, "Forbidden", bad_credentials, "the action is not allowed"},
    ApnsMeaning{403, "InvalidProviderToken", bad_credentials,
                "the provider token is refused: check apns.key_file, apns.key_id and apns.team_id"},
    ApnsMeaning{403, "MissingProviderToken", bad_credentials, "the provider token is missing"},
    ApnsMeaning{403, "UnrelatedKeyIdInToken", bad_credentials,
                "the connection was opened with another key"},
    ApnsMeaning{404, "BadPath", rejected, "the path is wrong"},
    ApnsMeaning{405, "MethodNotAllowed", rejected, "the method is not POST"},
    ApnsMeaning{410, "ExpiredToken", token_gone, "the token has expired"},
    ApnsMeaning{410, "Unregistered", token_gone, "the app is no longer installed"},
    ApnsMeaning{413, "PayloadTooLarge", rejected, "the payload is over 4,096 bytes"},
    ApnsMeaning{429, "TooManyProviderTokenUpdates", retry_later,
                "the provider token was changed too often"},
    ApnsMeaning{429, "TooManyRequests", retry_later, "too many notifications for this device"},
    ApnsMeaning{500, "InternalServerError", retry_later, "an error inside APNs"},
    ApnsMeaning{503, "ServiceUnavailable", retry_later, "APNs is unavailable"},
    ApnsMeaning{503, "Shutdown", retry_later, "the APNs server is shutting down"},
};

/// A token is never given up on a reason that nobody has documented.
ApnsMeaning by_apns_status(int status) {
  if (status == 410) return {status, "", token_gone, "the token is no longer active"};
  if (status == 403) return {status, "", bad_credentials, "our credentials are refused"};
  if (status == 429 || status >= 500) return {status, "", retry_later, "APNs asks to come later"};
  return {status, "", rejected, "APNs refuses the request"};
}

ApnsMeaning meaning_of(const ApnsAnswer& answer) {
  for (const ApnsMeaning& meaning : kApnsMeanings) {
    if (meaning.status == answer.status && meaning.reason == answer.reason) return meaning;
  }
  return by_apns_status(answer.status);
}

/// Why an answer that would condemn a token may be about something else; empty: it is about it.
std::string_view doubt_about(const ApnsAnswer& answer, const Device& device) {
  if (answer.timestamp && *answer.timestamp < device.registered_at) {
    return "the device has registered again since";
  }
  if (answer.reason == "BadDeviceToken" && device.environment == Environment::unknown) {
    return "auth-service does not say of which environment it is";
  }
  if (answer.reason == "DeviceTokenNotForTopic" && device.app_id.empty()) {
    return "auth-service does not say of which app it is: check apns.topic";
  }
  return "";
}

/// Only letters of a documented reason reach a row: the body is the peer's, and bounded here.
std::string clean_reason(std::string_view reason) {
  constexpr std::size_t kLengthMax = 40;
  std::string clean;
  for (const char c : reason.substr(0, kLengthMax)) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) clean += c;
  }
  return clean;
}

std::string payload_of(const Notification& n, const Style& style, const ShownTexts& shown) {
  base::JsonObject payload(512);
  payload.object("aps", n.presentation.background
                            ? std::move(base::JsonObject().number("content-available", 1))
                            : aps_of_alert(n, style, shown));
  payload.text("notification_id", n.id.to_string());
  if (style.preview != PreviewLevel::full) payload.text("preview", name(style.preview));
  if (n.presentation.background && style.is_silent) payload.flag_if_set("quiet", true);
  for (const auto& [key, value] : n.presentation.data) {
    // An earlier version of this service accepted such keys.
    if (!is_apns_payload_key(key)) payload.text(key, value);
  }
  return std::move(payload).finish();
}

std::size_t least_apns_payload(const Notification& n) {
  Style style;
  style.sound = n.presentation.sound;
  if (style.sound == "default") style.sound.assign(kSoundMax, 'x');
  const std::string text(kTextAlwaysShown, 'x');
  return payload_of(n, style, {text, text}).size() + kApnsStyleRoom;
}

}  // namespace

ApnsHeaders apns_headers(const Notification& n, base::DeviceId device) {
  using std::chrono::duration_cast;
  const auto expiry = duration_cast<std::chrono::seconds>(n.expires_at.time_since_epoch());
  const bool power_aware = n.presentation.background || n.priority == Priority::low;
  // A new id for every notification and device, the same for every try.
  return {.id = attempt_id(n.id, device, 0).to_string(),
          .push_type = n.presentation.background ? "background" : "alert",
          .priority = power_aware ? "5" : "10",
          .expiration = std::to_string(expiry.count()),
          .collapse_id = n.presentation.collapse_id};
}

bool is_apns_payload_key(std::string_view key) {
  return std::find(kApnsPayloadKeys.begin(), kApnsPayloadKeys.end(), key) != kApnsPayloadKeys.end();
}

std::string apns_payload(const Notification& n, const Style& style, const OwnTexts& own) {
  return fit_texts(shown_texts(n, style, own), kApnsPayloadMax,
                   [&](const ShownTexts& shown) { return payload_of(n, style, shown); });
}

std::optional<Flaw> apns_flaw_of(const Device& device, Environment asked) {
  if (device.environment == Environment::unknown || device.environment == asked) {
    return std::nullopt;
  }
  return Flaw{LeftOut::other_environment, "its token is of Apple's environment " +
                                              std::string(name(device.environment)) +
                                              ", and APNs is asked in " + std::string(name(asked))};
}

PushService apns_service() {
  return {.name = "apns",
          .payload_max = kApnsPayloadMax,
          .serves = [](const Device& device) { return device.platform == Platform::ios; },
          .least_payload = least_apns_payload,
          .is_payload_key = is_apns_payload_key};
}

std::string apns_path(const base::Secret& token) {
  const std::string_view hex = token.reveal();
  const bool is_hex = !hex.empty() && std::all_of(hex.begin(), hex.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (!is_hex) return {};
  return "/3/device/" + std::string(hex);
}

ApnsAnswer parse_apns_answer(int status, std::string_view body, std::string_view retry_after,
                             base::WallTime now) {
  ApnsAnswer answer;
  answer.status = status;
  if (!body.empty()) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(body.data(), body.size()).get(root) == simdjson::SUCCESS) {
      std::string_view reason;
      if (root["reason"].get(reason) == simdjson::SUCCESS) answer.reason = clean_reason(reason);
      std::int64_t unix_ms = 0;
      if (root["timestamp"].get(unix_ms) == simdjson::SUCCESS) {
        answer.timestamp = base::WallTime(std::chrono::milliseconds(unix_ms));
      }
    }
  }
  answer.retry_after = parse_retry_after(retry_after, now);
  return answer;
}

Outcome apns_outcome(const ApnsAnswer& answer, const Device& device) {
  if (answer.status == 200) return {.kind = accepted};
  const ApnsMeaning meaning = meaning_of(answer);
  Outcome outcome;
  outcome.kind = meaning.kind;
  outcome.code = std::to_string(answer.status);
  if (!answer.reason.empty()) outcome.code += ' ' + answer.reason;
  outcome.message = meaning.message;
  outcome.retry_after = answer.retry_after;
  outcome.invalid_since = answer.timestamp;
  if (outcome.kind == token_gone) {
    if (const std::string_view doubt = doubt_about(answer, device); !doubt.empty()) {
      outcome.kind = rejected;
      outcome.message += "; but " + std::string(doubt);
    }
  }
  return outcome;
}

}  // namespace notify::rules
