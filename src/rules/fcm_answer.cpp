#include "rules/fcm_answer.hpp"

#include <simdjson.h>

#include <array>

#include "rules/retry_after.hpp"

namespace notify::rules {
namespace {

using namespace std::chrono_literals;
using enum OutcomeKind;
using simdjson::SUCCESS;
using Element = simdjson::dom::element;

struct FcmMeaning {
  std::string_view code;  ///< of the FcmError, else of google.rpc.Status
  OutcomeKind kind;
  std::string_view message;
  std::chrono::seconds retry_min{0};
};

/// Firebase's table of error codes, with what each means for us. INVALID_ARGUMENT is not here: it
/// takes more than the code.
constexpr std::array kFcmMeanings = {
    FcmMeaning{"UNREGISTERED", token_gone, "the app is no longer registered under this token"},
    FcmMeaning{"SENDER_ID_MISMATCH", token_gone,
               "the token belongs to another Firebase project: if many do, check fcm.project_id"},
    FcmMeaning{"QUOTA_EXCEEDED", retry_later, "a quota of the project or of this device is used up",
               60s},
    FcmMeaning{"UNAVAILABLE", retry_later, "FCM is overloaded or unavailable", 10s},
    FcmMeaning{"INTERNAL", retry_later, "an error inside FCM", 10s},
    FcmMeaning{
        "THIRD_PARTY_AUTH_ERROR", bad_credentials,
        "the Firebase project's credentials for Apple or for Web Push are refused: renew them "
        "in the Firebase console"},
    // An older name of the one before, which Google's own libraries still know.
    FcmMeaning{
        "APNS_AUTH_ERROR", bad_credentials,
        "the Firebase project's credentials for Apple are refused: renew them in the Firebase "
        "console"},
};

/// Without an FcmError the answer is not about a registration.
constexpr std::array kRpcMeanings = {
    FcmMeaning{"UNAUTHENTICATED", bad_credentials,
               "the access token is refused: check fcm.credentials_file and this machine's clock"},
    FcmMeaning{
        "PERMISSION_DENIED", bad_credentials,
        "the service account may not send: give it the role of FCM in this project, and enable "
        "the FCM API"},
    FcmMeaning{"RESOURCE_EXHAUSTED", retry_later, "the project's quota is used up", 60s},
    FcmMeaning{"UNAVAILABLE", retry_later, "FCM is overloaded or unavailable", 10s},
    FcmMeaning{"INTERNAL", retry_later, "an error inside FCM", 10s},
    FcmMeaning{"NOT_FOUND", bad_credentials, "FCM knows no such project: check fcm.project_id"},
};

FcmMeaning by_fcm_status(int status) {
  if (status == 401 || status == 403) {
    return {"", bad_credentials,
            "our credentials are refused: check fcm.credentials_file and fcm.project_id"};
  }
  if (status == 404) {
    return {"", bad_credentials, "there is no such address: check fcm.endpoint and fcm.project_id"};
  }
  if (status == 429) return {"", retry_later, "a quota is used up", 60s};
  if (status == 408 || status >= 500) return {"", retry_later, "FCM asks to come later", 10s};
  return {"", rejected, "FCM refuses the request"};
}

FcmMeaning meaning_of(const FcmAnswer& answer) {
  for (const FcmMeaning& meaning : kFcmMeanings) {
    if (meaning.code == answer.error_code) return meaning;
  }
  const bool is_argument =
      answer.error_code == "INVALID_ARGUMENT" || answer.rpc_status == "INVALID_ARGUMENT";
  if (is_argument && answer.names_token && !answer.names_field) {
    return {"", token_gone, "FCM says that this is no registration token"};
  }
  if (is_argument) return {"", rejected, "FCM finds a field of the message invalid"};
  for (const FcmMeaning& meaning : kRpcMeanings) {
    if (meaning.code == answer.rpc_status) return meaning;
  }
  return by_fcm_status(answer.status);
}

/// Only letters of a documented code reach a row: the body is the peer's, and bounded here.
std::string clean_code(std::string_view code) {
  constexpr std::size_t kLengthMax = 40;
  std::string clean;
  for (const char c : code.substr(0, kLengthMax)) {
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_') clean += c;
  }
  return clean;
}

bool is_address(std::string_view field) {
  return field == "message.token" || field == "message.fid";
}

void read_violations(const Element& detail, FcmAnswer& answer) {
  simdjson::dom::array violations;
  if (detail["fieldViolations"].get(violations) != SUCCESS) return;
  for (const Element violation : violations) {
    std::string_view field;
    if (violation["field"].get(field) != SUCCESS) continue;
    if (is_address(field)) {
      answer.names_token = true;
    } else {
      answer.names_field = true;
    }
  }
}

void read_details(const Element& error, FcmAnswer& answer) {
  simdjson::dom::array details;
  if (error["details"].get(details) != SUCCESS) return;
  for (const Element detail : details) {
    std::string_view type;
    if (detail["@type"].get(type) != SUCCESS) continue;
    if (type.ends_with("/google.firebase.fcm.v1.FcmError")) {
      std::string_view code;
      if (detail["errorCode"].get(code) == SUCCESS) answer.error_code = clean_code(code);
    } else if (type.ends_with("/google.rpc.BadRequest")) {
      read_violations(detail, answer);
    }
  }
}

}  // namespace

FcmAnswer parse_fcm_answer(int status, std::string_view body, std::string_view retry_after,
                           base::WallTime now) {
  FcmAnswer answer;
  answer.status = status;
  answer.retry_after = parse_retry_after(retry_after, now);
  if (status == 200 || body.empty()) return answer;
  simdjson::dom::parser parser;
  Element error;
  if (parser.parse(body.data(), body.size())["error"].get(error) != SUCCESS) return answer;
  std::string_view rpc_status;
  if (error["status"].get(rpc_status) == SUCCESS) answer.rpc_status = clean_code(rpc_status);
  read_details(error, answer);
  std::string_view message;
  // Without a field violation only the text tells which argument is invalid.
  const bool may_say = !answer.names_token && !answer.names_field;
  if (may_say && error["message"].get(message) == SUCCESS) {
    answer.names_token = message.find("not a valid FCM registration token") != message.npos;
  }
  return answer;
}

bool refuses_access_token(const FcmAnswer& answer) {
  return answer.status == 401 && answer.error_code.empty();
}

Outcome fcm_outcome(const FcmAnswer& answer) {
  if (answer.status == 200) return {.kind = accepted};
  const FcmMeaning meaning = meaning_of(answer);
  Outcome outcome;
  outcome.kind = meaning.kind;
  outcome.code = std::to_string(answer.status);
  const std::string& code = answer.error_code.empty() ? answer.rpc_status : answer.error_code;
  if (!code.empty()) outcome.code += ' ' + code;
  outcome.message = meaning.message;
  outcome.retry_after = answer.retry_after;
  outcome.retry_min = meaning.retry_min;
  return outcome;
}

}  // namespace notify::rules
