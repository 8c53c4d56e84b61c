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

}  // namespace

ApnsAction ApnsEndpoint::handle(const HttpRequest& request, std::uint64_t connection) {
  const base::WallTime now = parts_.clock.now();
  const ApnsHead head = read_head(request);
  const ApnsVerdict verdict = parts_.rules.judge(request, head, now);

  ApnsAction action;
  action.provider_token_valid = verdict.provider_token_valid;
  action.response.apns_id =
      head.apns_id.empty() ? ids_.next().to_string() : std::string(head.apns_id);

  Outcome outcome;
  const std::optional<Fault> fault = parts_.faults.take(FaultTarget::apns, head.token, {});
  if (fault) {
    outcome = apply(*fault, verdict, action);
  } else {
    answer(verdict, action);
    outcome = {verdict.status, verdict.reason, {}, verdict.status == 200};
  }

  parts_.ledger.count({.token = head.token,
                       .apns_id = action.response.apns_id,
                       .notification_id = verdict.notification_id,
                       .payload = request.body,
                       .status = outcome.status,
                       .reason = outcome.reason,
                       .accepted = outcome.accepted,
                       .at = now});
  if (parts_.log != nullptr) {
    parts_.log->append({.at = now,
                        .head = head,
                        .apns_id = action.response.apns_id,
                        .status = outcome.status,
                        .reason = outcome.reason,
                        .fault = outcome.fault,
                        .connection = connection,
                        .payload_is_json = verdict.payload_is_json,
                        .payload = request.body});
  }
  return action;
}

void ApnsEndpoint::answer(const ApnsVerdict& verdict, ApnsAction& action) {
  action.response.status = verdict.status;
  if (verdict.reason.empty()) return;
  std::optional<std::int64_t> timestamp_ms;
  if (verdict.timestamp) timestamp_ms = verdict.timestamp->time_since_epoch().count();
  action.response.body = error_body(verdict.reason, timestamp_ms);
}

ApnsEndpoint::Outcome ApnsEndpoint::apply(const Fault& fault, const ApnsVerdict& verdict,
                                          ApnsAction& action) {
  using Kind = ApnsAction::Kind;
  Outcome outcome;
  outcome.fault = name(fault.kind);
  action.delay = fault.delay;
  switch (fault.kind) {
    case FaultKind::answer: {
      action.response.status = fault.status;
      action.response.retry_after_s = fault.retry_after_s;
      std::optional<std::int64_t> timestamp_ms = fault.timestamp_ms;
      if (fault.status == 410 && !timestamp_ms) {
        timestamp_ms = parts_.clock.now().time_since_epoch().count();
      }
      if (!fault.reason.empty()) action.response.body = error_body(fault.reason, timestamp_ms);
      outcome.status = fault.status;
      outcome.reason = fault.reason;
      outcome.accepted = fault.status == 200;
      break;
    }
    case FaultKind::delay:
      answer(verdict, action);
      outcome.status = verdict.status;
      outcome.reason = verdict.reason;
      outcome.accepted = verdict.status == 200;
      break;
    case FaultKind::cut_after:
      action.kind = Kind::cut;
      outcome.reason = verdict.reason;
      outcome.accepted = verdict.status == 200;
      break;
    case FaultKind::cut_before: action.kind = Kind::cut; break;
    case FaultKind::hang: action.kind = Kind::hang; break;
    case FaultKind::refuse_stream: action.kind = Kind::refuse_stream; break;
    case FaultKind::goaway:
      action.kind = Kind::go_away;
      if (!fault.reason.empty()) action.goaway_debug = error_body(fault.reason, std::nullopt);
      break;
  }
  return outcome;
}

}  // namespace notify::simulator
