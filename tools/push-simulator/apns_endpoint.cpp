#include "push-simulator/apns_endpoint.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace notify::simulator {
namespace {

std::string error_body(std::string_view reason, std::optional<std::int64_t> timestamp_ms) {
  std::string body = "{\"reason\":";
  base::append_json_string(body, reason);
  if (timestamp_ms) fmt::format_to(std::back_inserter(body), ",\"timestamp\":{}", *timestamp_ms);
  body += '}';
  return body;
}

std::int64_t to_ms(base::WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

Judgement ApnsEndpoint::judge(const HttpRequest& request, base::WallTime now) {
  const ApnsHead head = read_head(request);
  const ApnsVerdict verdict = rules_.judge(request, head, now);
  Judgement judgement;
  judgement.target = FaultTarget::apns;
  judgement.token = head.token;
  judgement.id = head.apns_id.empty() ? ids_.next().to_string() : std::string(head.apns_id);
  judgement.id_name = "apns_id";
  judgement.notification_id = verdict.notification_id;
  judgement.payload = request.body;
  judgement.payload_is_json = verdict.payload_is_json;
  judgement.reason = verdict.reason;
  judgement.opens_gate = verdict.provider_token_valid;
  judgement.response.status = verdict.status;
  judgement.response.headers.push_back({"apns-id", judgement.id});
  if (!verdict.reason.empty()) {
    std::optional<std::int64_t> timestamp_ms;
    if (verdict.timestamp) timestamp_ms = to_ms(*verdict.timestamp);
    judgement.response.body = error_body(verdict.reason, timestamp_ms);
  }
  judgement.fields = {{"token", head.token},           {"topic", head.topic},
                      {"push_type", head.push_type},   {"priority", head.priority},
                      {"expiration", head.expiration}, {"collapse_id", head.collapse_id}};
  return judgement;
}

HttpResponse ApnsEndpoint::scripted_answer(const Fault& fault, const Judgement& judgement) {
  HttpResponse answer;
  answer.status = fault.status;
  answer.headers.push_back({"apns-id", judgement.id});
  answer.retry_after_s = fault.retry_after_s;
  std::optional<std::int64_t> timestamp_ms = fault.timestamp_ms;
  if (fault.status == 410 && !timestamp_ms) timestamp_ms = to_ms(clock().now());
  if (!fault.reason.empty() && fault.form != "status")
    answer.body = error_body(fault.reason, timestamp_ms);
  return answer;
}

std::string ApnsEndpoint::goaway_debug(std::string_view reason) {
  return error_body(reason, std::nullopt);
}

}  // namespace notify::simulator
