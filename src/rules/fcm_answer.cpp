#include "rules/fcm_answer.hpp"

#include <simdjson.h>

#include <array>

#include "rules/retry_after.hpp"

namespace notify::rules {
namespace {

using namespace std::chrono_literals;
using enum Consequence;
using simdjson::SUCCESS;
using Element = simdjson::dom::element;

constexpr Meaning fcm_row(AnswerForm form, int status, std::string_view reason,
                          Consequence leads_to, std::string_view message,
                          std::chrono::seconds retry_min = 0s) {
  return {.status = status,
          .form = form,
          .reason = reason,
          .leads_to = leads_to,
          .message = message,
          .retry_min = retry_min};
}

/// Any other answer with such a status.
constexpr Meaning fcm_status(int from, int to, Consequence leads_to, std::string_view message,
                             std::chrono::seconds retry_min = 0s) {
  return {.status = from,
          .status_max = to,
          .leads_to = leads_to,
          .message = message,
          .retry_min = retry_min};
}

/// The access token is refused: a new one may help, once.
constexpr Meaning fcm_refresh(Meaning meaning) {
  meaning.if_again = meaning.leads_to;
  meaning.leads_to = refresh_credentials;
  return meaning;
}

/// An error code goes before a field, a field before google.rpc's status, and that before HTTP's.
/// Without an FcmError the answer is not about a registration, but if it names the token.
constexpr std::array kFcmMeanings = {
    fcm_status(200, 200, delivered, "FCM took it"),
    fcm_row(AnswerForm::fcm_error, 404, "UNREGISTERED", drop_address,
            "the app is no longer registered under this token"),
    fcm_row(AnswerForm::fcm_error, 403, "SENDER_ID_MISMATCH", drop_address,
            "the token belongs to another Firebase project: if many do, check fcm.project_id"),
    fcm_row(AnswerForm::fcm_error, 429, "QUOTA_EXCEEDED", retry_address,
            "a quota of the project or of this device is used up", 60s),
    fcm_row(AnswerForm::fcm_error, 503, "UNAVAILABLE", retry_provider,
            "FCM is overloaded or unavailable", 10s),
    fcm_row(AnswerForm::fcm_error, 500, "INTERNAL", retry_provider, "an error inside FCM", 10s),
    fcm_row(AnswerForm::fcm_error, 401, "THIRD_PARTY_AUTH_ERROR", config_fault,
            "the Firebase project's credentials for Apple or for Web Push are refused: renew them "
            "in the Firebase console"),
    // An older name of the one before, which Google's own libraries still know.
    fcm_row(AnswerForm::fcm_error, 401, "APNS_AUTH_ERROR", config_fault,
            "the Firebase project's credentials for Apple are refused: renew them in the Firebase "
            "console"),
    fcm_row(AnswerForm::names_token, 400, "INVALID_ARGUMENT", drop_address,
            "FCM says that this is no registration token"),
    fcm_row(AnswerForm::names_field, 400, "INVALID_ARGUMENT", caller_fault,
            "FCM finds a field of the message invalid"),
    fcm_refresh(fcm_row(
        AnswerForm::rpc_status, 401, "UNAUTHENTICATED", config_fault,
        "the access token is refused: check fcm.credentials_file and this machine's clock")),
    fcm_row(AnswerForm::rpc_status, 403, "PERMISSION_DENIED", config_fault,
            "the service account may not send: give it the role of FCM in this project, and enable "
            "the FCM API"),
    fcm_row(AnswerForm::rpc_status, 429, "RESOURCE_EXHAUSTED", retry_provider,
            "the project's quota is used up", 60s),
    fcm_row(AnswerForm::rpc_status, 503, "UNAVAILABLE", retry_provider,
            "FCM is overloaded or unavailable", 10s),
    fcm_row(AnswerForm::rpc_status, 500, "INTERNAL", retry_provider, "an error inside FCM", 10s),
    fcm_row(AnswerForm::rpc_status, 404, "NOT_FOUND", config_fault,
            "FCM knows no such project: check fcm.project_id"),
    fcm_refresh(
        fcm_status(401, 401, config_fault,
                   "our credentials are refused: check fcm.credentials_file and fcm.project_id")),
    fcm_status(403, 403, config_fault,
               "our credentials are refused: check fcm.credentials_file and fcm.project_id"),
    fcm_status(404, 404, config_fault,
               "there is no such address: check fcm.endpoint and fcm.project_id"),
    fcm_status(408, 408, retry_provider, "FCM asks to come later", 10s),
    fcm_status(429, 429, retry_provider, "a quota is used up", 60s),
    fcm_status(500, kStatusMax, retry_provider, "FCM asks to come later", 10s),
    fcm_status(kStatusMin, kStatusMax, caller_fault, "FCM refuses the request"),
};

/// A code counts whatever the status: Google documents it as the more precise of the two.
bool is_fcm_row_of(const Meaning& row, const FcmAnswer& answer) {
  const bool is_argument =
      answer.error_code == row.reason || answer.rpc_status == row.reason;  // INVALID_ARGUMENT
  switch (row.form) {
    case AnswerForm::fcm_error: return row.reason == answer.error_code;
    case AnswerForm::names_token: return is_argument && answer.names_token && !answer.names_field;
    case AnswerForm::names_field: return is_argument;
    case AnswerForm::rpc_status: return row.reason == answer.rpc_status;
    default: return row.has_status(answer.status);
  }
}

const Meaning& fcm_meaning(const FcmAnswer& answer) {
  if (answer.status == 200) return kFcmMeanings.front();
  return first_meaning(kFcmMeanings,
                       [&](const Meaning& row) { return is_fcm_row_of(row, answer); });
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

std::span<const Meaning> fcm_answers() { return kFcmMeanings; }

bool refuses_access_token(const FcmAnswer& answer) {
  return answer.error_code.empty() && fcm_meaning(answer).leads_to == refresh_credentials;
}

Outcome fcm_outcome(const FcmAnswer& answer) {
  const std::string& reason = answer.error_code.empty() ? answer.rpc_status : answer.error_code;
  Outcome outcome = outcome_of(fcm_meaning(answer), answer.status, reason);
  if (outcome.kind != OutcomeKind::accepted) outcome.retry_after = answer.retry_after;
  return outcome;
}

}  // namespace notify::rules
