#include "push-simulator/provider_endpoint.hpp"

#include <optional>
#include <utility>

namespace notify::simulator {
namespace {

bool is_accepted(int status) { return status >= 200 && status < 300; }

}  // namespace

ProviderAction ProviderEndpoint::handle(const HttpRequest& request, std::uint64_t connection) {
  const base::WallTime now = books_.clock.now();
  Judgement judgement = judge(request, now);
  ProviderAction action;
  action.opens_gate = judgement.opens_gate;
  Outcome outcome;
  std::optional<Fault> fault = books_.faults.take(judgement.target, judgement.token, {});
  if (!fault) fault = scripts_.take(judgement.target, judgement.token);
  if (fault) {
    outcome = apply(*fault, judgement, action);
  } else {
    const int status = judgement.response.status;
    outcome = {status, judgement.reason, {}, is_accepted(status)};
    action.response = std::move(judgement.response);
  }
  if (judgement.is_push) write_down(judgement, outcome, now, connection);
  if (outcome.accepted && judgement.reason.empty()) deliver(request, judgement);
  return action;
}

void ProviderEndpoint::write_down(const Judgement& judgement, const Outcome& outcome,
                                  base::WallTime now, std::uint64_t connection) {
  books_.ledger.count({.token = judgement.token,
                       .id = judgement.id,
                       .notification_id = judgement.notification_id,
                       .payload = judgement.payload,
                       .status = outcome.status,
                       .reason = outcome.reason,
                       .accepted = outcome.accepted,
                       .at = now});
  if (books_.log == nullptr) return;
  books_.log->append({.at = now,
                      .provider = provider_,
                      .id = {judgement.id_name, judgement.id},
                      .fields = judgement.fields,
                      .status = outcome.status,
                      .reason = outcome.reason,
                      .fault = outcome.fault,
                      .connection = connection,
                      .payload_is_json = judgement.payload_is_json,
                      .payload = judgement.payload});
}

ProviderEndpoint::Outcome ProviderEndpoint::apply(const Fault& fault, Judgement& judgement,
                                                  ProviderAction& action) {
  using Kind = ProviderAction::Kind;
  const int right_status = judgement.response.status;
  Outcome outcome;
  outcome.fault = name(fault.kind);
  action.delay = fault.delay;
  switch (fault.kind) {
    case FaultKind::answer:
      action.response = scripted_answer(fault, judgement);
      outcome.status = fault.status;
      outcome.reason = fault.reason;
      outcome.accepted = is_accepted(fault.status);
      break;
    case FaultKind::goaway_after:
    case FaultKind::max_streams:
    case FaultKind::delay:
      action.goes_away_after = fault.kind == FaultKind::goaway_after;
      action.max_streams = fault.max_streams;
      action.response = std::move(judgement.response);
      outcome.status = right_status;
      outcome.reason = judgement.reason;
      outcome.accepted = is_accepted(right_status);
      break;
    case FaultKind::cut_after:
      action.kind = Kind::cut;
      outcome.reason = judgement.reason;
      outcome.accepted = is_accepted(right_status);
      break;
    case FaultKind::cut_before: action.kind = Kind::cut; break;
    case FaultKind::half_close: action.kind = Kind::half_close; break;
    case FaultKind::hang: action.kind = Kind::hang; break;
    case FaultKind::refuse_stream: action.kind = Kind::refuse_stream; break;
    case FaultKind::goaway:
      action.kind = Kind::go_away;
      if (!fault.reason.empty()) action.goaway_debug = goaway_debug(fault.reason);
      break;
  }
  return outcome;
}

}  // namespace notify::simulator
