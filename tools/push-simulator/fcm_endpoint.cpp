#include "push-simulator/fcm_endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace notify::simulator {
namespace {

using nlohmann::json;

constexpr std::string_view kPathStart = "/v1/projects/";
constexpr std::string_view kPathEnd = "/messages:send";

/// Google's errors: google.rpc.Status in JSON.
std::string error_body(int status, const FcmVerdict& verdict) {
  json error{{"code", status}, {"message", verdict.message}, {"status", verdict.rpc_status}};
  json details = json::array();
  if (!verdict.error_code.empty()) {
    details.push_back({{"@type", "type.googleapis.com/google.firebase.fcm.v1.FcmError"},
                       {"errorCode", verdict.error_code}});
  }
  if (verdict.violation) {
    json violation{{"description", verdict.violation->description}};
    if (!verdict.violation->field.empty()) violation["field"] = verdict.violation->field;
    details.push_back({{"@type", "type.googleapis.com/google.rpc.BadRequest"},
                       {"fieldViolations", json::array({std::move(violation)})}});
  }
  if (!details.empty()) error["details"] = std::move(details);
  return json{{"error", std::move(error)}}.dump();
}

std::string_view rpc_status_of(int status) {
  switch (status) {
    case 400: return "INVALID_ARGUMENT";
    case 401: return "UNAUTHENTICATED";
    case 403: return "PERMISSION_DENIED";
    case 404: return "NOT_FOUND";
    case 429: return "RESOURCE_EXHAUSTED";
    case 500: return "INTERNAL";
    case 503: return "UNAVAILABLE";
    default: return "UNKNOWN";
  }
}

bool is_fcm_error(std::string_view reason) {
  constexpr std::array<std::string_view, 9> kCodes = {
      "UNSPECIFIED_ERROR",  "INVALID_ARGUMENT",       "UNREGISTERED",
      "SENDER_ID_MISMATCH", "QUOTA_EXCEEDED",         "UNAVAILABLE",
      "INTERNAL",           "THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR"};
  return std::find(kCodes.begin(), kCodes.end(), reason) != kCodes.end();
}

FcmVerdict scripted_verdict(const Fault& fault) {
  FcmVerdict verdict;
  verdict.rpc_status = rpc_status_of(fault.status);
  verdict.message = "A scripted error.";
  if (fault.form == "rpc_status") {
    verdict.rpc_status = fault.reason;
  } else if (fault.form == "names_token") {
    verdict.violation = FieldViolation{"message.token", "Invalid registration token"};
  } else if (fault.form == "names_field") {
    verdict.violation = FieldViolation{"message.data[0].value", "Invalid value"};
  } else if (is_fcm_error(fault.reason)) {
    verdict.error_code = fault.reason;
  }
  return verdict;
}

std::string_view header_of(const HttpRequest& request, std::string_view name) {
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    if (request.headers.at(i).name == name) return request.headers.at(i).value;
  }
  return {};
}

/// The project of the path; empty if the path is another one.
std::string_view project_of(std::string_view path) {
  path = path.substr(0, path.find('?'));
  if (!path.starts_with(kPathStart) || !path.ends_with(kPathEnd)) return {};
  path.remove_prefix(kPathStart.size());
  if (path.size() <= kPathEnd.size()) return {};
  path.remove_suffix(kPathEnd.size());
  return path.find('/') == path.npos ? path : std::string_view();
}

Judgement plain(int status, std::string_view reason) {
  Judgement judgement;
  judgement.target = FaultTarget::fcm;
  judgement.is_push = false;
  judgement.reason = reason;
  judgement.response.status = status;
  return judgement;
}

/// The fault of the caller; a status of 200 if there is none.
FcmVerdict check_caller(BearerVerdict bearer, std::string_view project, std::string_view ours) {
  FcmVerdict verdict;
  if (bearer != BearerVerdict::valid) {
    verdict.status = 401;
    verdict.rpc_status = "UNAUTHENTICATED";
    verdict.message = bearer == BearerVerdict::missing
                          ? "Request is missing required authentication credential."
                          : "Request had invalid authentication credentials.";
  } else if (project != ours) {
    verdict.status = 403;
    verdict.rpc_status = "PERMISSION_DENIED";
    verdict.message = "Permission 'cloudmessaging.messages.create' denied on the project.";
  }
  return verdict;
}

}  // namespace

Judgement FcmEndpoint::judge(const HttpRequest& request, base::WallTime now) {
  if (request.path == "/token") {
    return request.method == "POST" ? judge_grant(request, now) : plain(405, "METHOD");
  }
  project_ = project_of(request.path);
  if (project_.empty()) return plain(404, "PATH");
  if (request.method != "POST") return plain(405, "METHOD");
  return judge_message(request, project_, now);
}

Judgement FcmEndpoint::judge_grant(const HttpRequest& request, base::WallTime now) {
  OauthServer::Answer answer = oauth_.grant(request.body, now);
  Judgement judgement = plain(answer.status, answer.error);
  judgement.target = FaultTarget::oauth;
  judgement.response.body = std::move(answer.body);
  return judgement;
}

Judgement FcmEndpoint::judge_message(const HttpRequest& request, std::string_view project,
                                     base::WallTime now) {
  const BearerVerdict bearer = oauth_.check(header_of(request, "authorization"), now);
  verdict_ = rules_.judge(request.body);
  const FcmVerdict caller = check_caller(bearer, project, oauth_.names().project_id);
  if (caller.status != 200) {
    verdict_.status = caller.status;
    verdict_.rpc_status = caller.rpc_status;
    verdict_.error_code = {};
    verdict_.message = caller.message;
    verdict_.violation.reset();
  }
  Judgement judgement;
  judgement.target = FaultTarget::fcm;
  judgement.token = verdict_.token;
  judgement.id = fmt::format("projects/{}/messages/{}", project, ids_.next().to_string());
  judgement.id_name = "name";
  judgement.notification_id = verdict_.notification_id;
  judgement.payload = request.body;
  judgement.payload_is_json = verdict_.is_json;
  judgement.reason = verdict_.reason();
  judgement.opens_gate = bearer == BearerVerdict::valid;
  judgement.response.status = verdict_.status;
  judgement.fields = {{"token", verdict_.token},       {"project", project},
                      {"priority", verdict_.priority}, {"ttl", verdict_.ttl},
                      {"tag", verdict_.tag},           {"collapse_key", verdict_.collapse_key}};
  if (verdict_.status != 200) {
    judgement.response.body = error_body(verdict_.status, verdict_);
    return judgement;
  }
  // A validated message reaches no device: the books do not count it.
  judgement.is_push = !verdict_.validate_only;
  const std::string name = verdict_.validate_only
                               ? fmt::format("projects/{}/messages/fake_message_id", project)
                               : judgement.id;
  judgement.response.body = json{{"name", name}}.dump();
  return judgement;
}

HttpResponse FcmEndpoint::scripted_answer(const Fault& fault, const Judgement& judgement) {
  HttpResponse answer;
  answer.status = fault.status;
  answer.retry_after_s = fault.retry_after_s;
  if (judgement.target == FaultTarget::oauth) {
    answer.body = json{{"error", fault.reason}}.dump();
    return answer;
  }
  if (fault.status == 200) {
    answer.body = json{{"name", judgement.id}}.dump();
    return answer;
  }
  if (fault.form != "status") answer.body = error_body(fault.status, scripted_verdict(fault));
  return answer;
}

std::string FcmEndpoint::goaway_debug(std::string_view reason) { return std::string(reason); }

}  // namespace notify::simulator
