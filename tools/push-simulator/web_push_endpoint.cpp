#include "push-simulator/web_push_endpoint.hpp"

#include <charconv>
#include <utility>

#include "base/json_object.hpp"

namespace notify::simulator {
namespace {

std::string error_body(std::string_view reason) {
  base::JsonObject body;
  body.text("reason", reason);
  return std::move(body).finish();
}

/// An error of Mozilla's push service.
std::string errno_body(int status, std::string_view number) {
  base::JsonObject body;
  body.number("code", status).raw("errno", number).text("error", "A scripted error");
  return std::move(body).finish();
}

/// The rules have seen that these are digits; a number that is too large is as good as the limit.
std::chrono::seconds seconds_of(std::string_view digits) {
  std::uint32_t seconds = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (parsed.ec == std::errc::result_out_of_range) return Browsers::kMaxTtl;
  return std::chrono::seconds(seconds);
}

}  // namespace

Judgement WebPushEndpoint::judge(const HttpRequest& request, base::WallTime now) {
  const WebPushHead head = read_web_push_head(request);
  const WebPushVerdict verdict = rules_.judge(request, head, now);
  Judgement judgement;
  judgement.target = FaultTarget::webpush;
  judgement.token = head.id;
  judgement.id = ids_.next().to_string();
  judgement.notification_id = verdict.notification_id;
  judgement.payload = verdict.payload;
  judgement.payload_is_json = verdict.payload_is_json;
  judgement.reason = verdict.reason;
  judgement.response.status = verdict.status;
  if (verdict.reason.empty()) {
    judgement.response.headers = {{"location", subscriptions_.origin() + "/m/" + judgement.id},
                                  {"ttl", std::string(head.ttl)}};
  } else {
    judgement.response.body = error_body(verdict.reason);
  }
  judgement.fields = {{"token", head.id},
                      {"ttl", head.ttl},
                      {"urgency", head.urgency},
                      {"topic", head.topic},
                      {"content_encoding", head.content_encoding}};
  return judgement;
}

HttpResponse WebPushEndpoint::scripted_answer(const Fault& fault, const Judgement&) {
  HttpResponse answer;
  answer.status = fault.status;
  answer.retry_after_s = fault.retry_after_s;
  if (fault.reason.empty() || fault.form == "status") return answer;
  if (fault.form == "wns_error") {
    answer.headers.push_back({"x-wns-error-description", fault.reason});
  } else if (fault.form == "errno") {
    answer.body = errno_body(fault.status, fault.reason);
  } else {
    answer.body = error_body(fault.reason);
  }
  return answer;
}

void WebPushEndpoint::deliver(const HttpRequest& request, const Judgement& judgement) {
  const WebPushHead head = read_web_push_head(request);
  browsers_.deliver(head.id, {judgement.id, request.body, head.topic, seconds_of(head.ttl)});
}

std::string WebPushEndpoint::goaway_debug(std::string_view reason) { return std::string(reason); }

}  // namespace notify::simulator
