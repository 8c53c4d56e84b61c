#include "rules/web_push_answer.hpp"

#include <simdjson.h>

#include <array>

#include "rules/retry_after.hpp"

namespace notify::rules {
namespace {

using enum OutcomeKind;

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

struct WebPushMeaning {
  int status;
  std::string_view reason;  ///< empty: any
  OutcomeKind kind;
  std::string_view message;
};

/// A vendor's reason goes before the status alone.
constexpr std::array kWebPushMeanings = {
    WebPushMeaning{400, "VapidPkHashMismatch", token_gone,
                   "the subscription is of another VAPID key"},
    WebPushMeaning{403, "VapidPkHashMismatch", token_gone,
                   "the subscription is of another VAPID key"},
    WebPushMeaning{400, "BadJwtToken", bad_credentials,
                   "the VAPID token is refused: check webpush.subject and this machine's clock"},
    WebPushMeaning{403, "BadJwtToken", bad_credentials,
                   "the VAPID token is refused: check webpush.subject and this machine's clock"},
    WebPushMeaning{400, "errno 101", rejected, "the encryption is refused"},
    WebPushMeaning{400, "errno 108", rejected, "the push service cannot route to this browser"},
    WebPushMeaning{400, "errno 109", bad_credentials, "the VAPID token is refused"},
    WebPushMeaning{400, "errno 110", rejected, "the encryption is refused"},
    WebPushMeaning{400, "errno 111", rejected, "a header is missing"},
    WebPushMeaning{400, "errno 112", rejected, "the TTL is invalid"},
    WebPushMeaning{400, "errno 113", rejected, "the topic is invalid"},
    WebPushMeaning{401, "", bad_credentials, "the VAPID token is refused: check webpush.key_file"},
    WebPushMeaning{
        403, "", bad_credentials,
        "the VAPID key is not the subscription's, or is refused: check webpush.key_file"},
    WebPushMeaning{404, "", token_gone, "the subscription is not known"},
    WebPushMeaning{406, "", retry_later, "the push service throttles this channel"},
    WebPushMeaning{410, "", token_gone, "the subscription is gone"},
    WebPushMeaning{413, "", rejected, "the message is too large"},
    WebPushMeaning{429, "", retry_later, "too many messages for this subscription"},
};

WebPushMeaning meaning_of(int status, std::string_view reason) {
  for (const WebPushMeaning& meaning : kWebPushMeanings) {
    const bool fits = meaning.reason.empty() || meaning.reason == reason;
    if (meaning.status == status && fits) return meaning;
  }
  if (status >= 500) return {status, "", retry_later, "the push service is unavailable"};
  if (status / 100 == 3) {
    return {status, "", rejected, "the push service redirects: redirects are not followed"};
  }
  return {status, "", rejected, "the push service refuses the request"};
}

bool is_accepted(int status) {
  return status == 201 || status == 200 || status == 202 || status == 204;
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

Outcome web_push_outcome(const WebPushResponse& response, base::WallTime now) {
  if (is_accepted(response.status)) return {.kind = accepted};
  const std::string reason = web_push_reason(response);
  const WebPushMeaning meaning = meaning_of(response.status, reason);
  Outcome outcome;
  outcome.kind = meaning.kind;
  outcome.code = std::to_string(response.status);
  if (!reason.empty()) outcome.code += ' ' + reason;
  outcome.message = meaning.message;
  outcome.retry_after = parse_retry_after(response.retry_after, now);
  return outcome;
}

}  // namespace notify::rules
