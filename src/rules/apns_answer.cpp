#include "rules/apns_answer.hpp"

#include <simdjson.h>

#include <array>

#include "rules/retry_after.hpp"

namespace notify::rules {
namespace {

using enum Consequence;

constexpr Meaning apns_row(int status, std::string_view reason, Consequence leads_to,
                           std::string_view message) {
  return {.status = status,
          .form = AnswerForm::reason,
          .reason = reason,
          .leads_to = leads_to,
          .message = message};
}

/// The connection is of no more use; `if_again`: another one was of none either.
constexpr Meaning apns_reconnect(int status, std::string_view reason, Consequence if_again,
                                 std::string_view message) {
  Meaning meaning = apns_row(status, reason, reconnect, message);
  meaning.if_again = if_again;
  return meaning;
}

/// The token is dropped if auth-service has said what `proviso` asks for.
constexpr Meaning apns_drop(int status, std::string_view reason, Proviso proviso,
                            std::string_view message) {
  Meaning meaning = apns_row(status, reason, drop_address, message);
  meaning.proviso = proviso;
  return meaning;
}

/// Any other reason, or none.
constexpr Meaning apns_status(int from, int to, Consequence leads_to, std::string_view message) {
  return {.status = from, .status_max = to, .leads_to = leads_to, .message = message};
}

/// A provider token is at most 30 minutes old, so that a new one cannot mend ExpiredProviderToken:
/// it comes from a wrong clock.
constexpr std::array kApnsMeanings = {
    apns_status(200, 200, delivered, "APNs took it"),
    apns_row(400, "BadCollapseId", caller_fault, "the collapse id is too long"),
    apns_drop(400, "BadDeviceToken", Proviso::environment_known,
              "the token is malformed or of another environment"),
    apns_row(400, "BadExpirationDate", caller_fault, "apns-expiration is invalid"),
    apns_row(400, "BadMessageId", caller_fault, "apns-id is invalid"),
    apns_row(400, "BadPriority", caller_fault, "apns-priority is invalid"),
    apns_row(400, "BadTopic", config_fault, "apns-topic is invalid: check apns.topic"),
    apns_drop(400, "DeviceTokenNotForTopic", Proviso::app_known,
              "the token belongs to another app"),
    apns_row(400, "DuplicateHeaders", caller_fault, "a header was repeated"),
    apns_reconnect(400, "IdleTimeout", retry_provider, "the connection was idle for too long"),
    apns_row(400, "InvalidPushType", caller_fault, "apns-push-type is invalid"),
    apns_row(400, "MissingDeviceToken", caller_fault, "the token is missing"),
    apns_row(400, "MissingTopic", config_fault, "apns-topic is missing: check apns.topic"),
    apns_row(400, "PayloadEmpty", caller_fault, "the payload was empty"),
    apns_row(400, "TopicDisallowed", config_fault, "the key may not push to this topic"),
    apns_row(403, "BadCertificate", config_fault, "the certificate is bad"),
    apns_row(403, "BadCertificateEnvironment", config_fault,
             "the certificate is for the other environment"),
    apns_row(403, "BadEnvironmentKeyIdInToken", config_fault,
             "the key is for the other environment"),
    // Seen in the wild beside the documented spelling.
    apns_row(403, "BadEnvironmentKeyInToken", config_fault, "the key is for the other environment"),
    apns_row(403, "ExpiredProviderToken", config_fault,
             "the provider token is too old: check this machine's clock"),
    apns_row(403, "Forbidden", config_fault, "the action is not allowed"),
    apns_row(403, "InvalidProviderToken", config_fault,
             "the provider token is refused: check apns.key_file, apns.key_id and apns.team_id"),
    apns_row(403, "MissingProviderToken", config_fault, "the provider token is missing"),
    apns_reconnect(403, "UnrelatedKeyIdInToken", config_fault,
                   "the connection was opened with another key"),
    apns_row(404, "BadPath", caller_fault, "the path is wrong"),
    apns_row(405, "MethodNotAllowed", caller_fault, "the method is not POST"),
    apns_row(410, "ExpiredToken", drop_address, "the token has expired"),
    apns_row(410, "Unregistered", drop_address, "the app is no longer installed"),
    apns_row(413, "PayloadTooLarge", caller_fault, "the payload is over 4,096 bytes"),
    apns_row(429, "TooManyProviderTokenUpdates", retry_provider,
             "the provider token was changed too often"),
    apns_row(429, "TooManyRequests", retry_address, "too many notifications for this device"),
    apns_row(500, "InternalServerError", retry_provider, "an error inside APNs"),
    apns_row(503, "ServiceUnavailable", retry_provider, "APNs is unavailable"),
    apns_reconnect(503, "Shutdown", retry_provider, "the APNs server is shutting down"),
    apns_status(403, 403, config_fault, "our credentials are refused"),
    apns_status(410, 410, drop_address, "the token is no longer active"),
    apns_status(429, 429, retry_provider, "APNs asks to come later"),
    apns_status(500, kStatusMax, retry_provider, "APNs asks to come later"),
    apns_status(kStatusMin, kStatusMax, caller_fault, "APNs refuses the request"),
};

/// Why an answer that would condemn a token may be about something else; empty: it is about it.
std::string_view doubt_about(const ApnsAnswer& answer, Proviso proviso, const Device& device) {
  if (answer.timestamp && *answer.timestamp < device.registered_at) {
    return "the device has registered again since";
  }
  if (proviso == Proviso::environment_known && device.environment == Environment::unknown) {
    return "auth-service does not say of which environment it is";
  }
  if (proviso == Proviso::app_known && device.app_id.empty()) {
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

}  // namespace

std::span<const Meaning> apns_answers() { return kApnsMeanings; }

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

/// A reason that is not in the table is judged by its status alone.
const Meaning& apns_meaning(const ApnsAnswer& answer) {
  return first_meaning(kApnsMeanings, [&](const Meaning& row) {
    return row.has_status(answer.status) &&
           (row.form == AnswerForm::status || row.reason == answer.reason);
  });
}

Outcome apns_outcome(const ApnsAnswer& answer, const Device& device) {
  const Meaning& meaning = apns_meaning(answer);
  Outcome outcome = outcome_of(meaning, answer.status, answer.reason);
  if (outcome.kind == OutcomeKind::accepted) return outcome;
  outcome.retry_after = answer.retry_after;
  outcome.invalid_since = answer.timestamp;
  if (outcome.kind == OutcomeKind::token_gone) {
    const std::string_view doubt = doubt_about(answer, meaning.proviso, device);
    if (!doubt.empty()) {
      outcome.kind = OutcomeKind::rejected;
      outcome.message += "; but " + std::string(doubt);
    }
  }
  return outcome;
}

}  // namespace notify::rules
