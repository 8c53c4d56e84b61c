#include "rules/web_push_answer.hpp"

#include <simdjson.h>

#include <array>

#include "rules/retry_after.hpp"

namespace notify::rules {
namespace {

using enum Consequence;

constexpr std::size_t kReasonMax = 40;

/// The body is the peer's: only letters, digits and spaces of it reach a row, and few.
std::string clean(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kReasonMax)) {
    const bool kept =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
    if (kept) result += c;
  }
  return result;
}

constexpr Meaning web_row(AnswerForm form, int status, std::string_view reason,
                          Consequence leads_to, std::string_view message) {
  return {
      .status = status, .form = form, .reason = reason, .leads_to = leads_to, .message = message};
}

/// Any other answer with such a status.
constexpr Meaning web_status(int from, int to, Consequence leads_to, std::string_view message) {
  return {.status = from, .status_max = to, .leads_to = leads_to, .message = message};
}

constexpr auto kApple = AnswerForm::reason;
constexpr auto kMozilla = AnswerForm::errno_code;
constexpr auto kMicrosoft = AnswerForm::wns_error;

/// A vendor's reason goes before the status alone.
constexpr std::array kWebPushMeanings = {
    web_status(200, 200, delivered, "the push service took it"),
    web_status(201, 201, delivered, "the push service took it"),
    web_status(202, 202, delivered, "the push service took it"),
    web_status(204, 204, delivered, "the push service took it"),
    web_row(kApple, 400, "VapidPkHashMismatch", drop_address,
            "the subscription is of another VAPID key"),
    web_row(kApple, 403, "VapidPkHashMismatch", drop_address,
            "the subscription is of another VAPID key"),
    web_row(kApple, 400, "BadJwtToken", config_fault,
            "the VAPID token is refused: check webpush.subject and this machine's clock"),
    web_row(kApple, 403, "BadJwtToken", config_fault,
            "the VAPID token is refused: check webpush.subject and this machine's clock"),
    web_row(kMozilla, 400, "errno 101", caller_fault, "the encryption is refused"),
    web_row(kMozilla, 404, "errno 102", drop_address, "the endpoint is none of Mozilla's"),
    web_row(kMozilla, 410, "errno 103", drop_address, "the subscription is gone"),
    web_row(kMozilla, 413, "errno 104", caller_fault, "the message is too large"),
    web_row(kMozilla, 410, "errno 105", drop_address, "the subscription is gone"),
    web_row(kMozilla, 410, "errno 106", drop_address, "the subscription is gone"),
    web_row(kMozilla, 400, "errno 108", caller_fault,
            "the push service cannot route to this browser"),
    web_row(kMozilla, 401, "errno 109", config_fault, "the VAPID token is refused"),
    web_row(kMozilla, 400, "errno 109", config_fault, "the VAPID token is refused"),
    web_row(kMozilla, 400, "errno 110", caller_fault, "the encryption is refused"),
    web_row(kMozilla, 400, "errno 111", caller_fault, "a header is missing"),
    web_row(kMozilla, 400, "errno 112", caller_fault, "the TTL is invalid"),
    web_row(kMozilla, 400, "errno 113", caller_fault, "the topic is invalid"),
    web_row(kMozilla, 503, "errno 201", retry_provider, "the push service is overloaded"),
    web_row(kMozilla, 503, "errno 202", retry_provider, "the push service is unavailable"),
    web_row(kMicrosoft, 400, "Ttl value conflicts with X-WNS-Cache-Policy", caller_fault,
            "the TTL is refused"),
    web_status(401, 401, config_fault, "the VAPID token is refused: check webpush.key_file"),
    web_status(403, 403, config_fault,
               "the VAPID key is not the subscription's, or is refused: check webpush.key_file"),
    web_status(404, 404, drop_address, "the subscription is not known"),
    web_status(406, 406, retry_address, "the push service throttles this channel"),
    web_status(410, 410, drop_address, "the subscription is gone"),
    web_status(413, 413, caller_fault, "the message is too large"),
    web_status(429, 429, retry_address, "too many messages for this subscription"),
    web_status(300, 399, caller_fault, "the push service redirects: redirects are not followed"),
    web_status(500, kStatusMax, retry_provider, "the push service is unavailable"),
    web_status(kStatusMin, kStatusMax, caller_fault, "the push service refuses the request"),
};

const Meaning& web_push_meaning(int status, std::string_view reason) {
  return first_meaning(kWebPushMeanings, [&](const Meaning& row) {
    return row.has_status(status) &&
           (row.form == AnswerForm::status || clean(row.reason) == reason);
  });
}

}  // namespace

std::string web_push_reason(const WebPushResponse& response) {
  if (!response.wns_error.empty()) return clean(response.wns_error);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(response.body.data(), response.body.size()).get(root) != simdjson::SUCCESS) {
    return {};
  }
  std::string_view reason;
  if (root["reason"].get(reason) == simdjson::SUCCESS) return clean(reason);
  std::int64_t number = 0;
  if (root["errno"].get(number) == simdjson::SUCCESS) return "errno " + std::to_string(number);
  return {};
}

std::span<const Meaning> web_push_answers() { return kWebPushMeanings; }

Outcome web_push_outcome(const WebPushResponse& response, base::WallTime now) {
  const bool is_taken = response.status / 100 == 2;
  const std::string reason = is_taken ? std::string() : web_push_reason(response);
  Outcome outcome = outcome_of(web_push_meaning(response.status, reason), response.status, reason);
  if (outcome.kind != OutcomeKind::accepted) {
    outcome.retry_after = parse_retry_after(response.retry_after, now);
  }
  return outcome;
}

}  // namespace notify::rules
