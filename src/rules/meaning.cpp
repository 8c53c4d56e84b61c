#include "rules/meaning.hpp"

namespace notify::rules {

std::string_view name(Consequence consequence) {
  switch (consequence) {
    case Consequence::delivered: return "delivered";
    case Consequence::drop_address: return "drop this address";
    case Consequence::retry_address: return "retry this address later";
    case Consequence::retry_provider: return "retry the provider later";
    case Consequence::refresh_credentials: return "refresh credentials";
    case Consequence::reconnect: return "reconnect";
    case Consequence::caller_fault: return "the caller's fault";
    case Consequence::config_fault: return "our configuration's fault";
    case Consequence::unknown: return "unknown";
  }
  return "?";
}

std::string_view name(AnswerForm form) {
  switch (form) {
    case AnswerForm::status: return "status";
    case AnswerForm::reason: return "reason";
    case AnswerForm::errno_code: return "errno";
    case AnswerForm::wns_error: return "wns_error";
    case AnswerForm::fcm_error: return "fcm_error";
    case AnswerForm::rpc_status: return "rpc_status";
    case AnswerForm::names_token: return "names_token";
    case AnswerForm::names_field: return "names_field";
  }
  return "?";
}

OutcomeKind kind_of(Consequence consequence) {
  switch (consequence) {
    case Consequence::delivered: return OutcomeKind::accepted;
    case Consequence::drop_address: return OutcomeKind::token_gone;
    case Consequence::retry_address:
    case Consequence::retry_provider: return OutcomeKind::retry_later;
    case Consequence::caller_fault: return OutcomeKind::rejected;
    case Consequence::config_fault: return OutcomeKind::bad_credentials;
    case Consequence::refresh_credentials:
    case Consequence::reconnect:
    case Consequence::unknown: break;
  }
  return OutcomeKind::unknown;
}

Outcome outcome_of(const Meaning& meaning, int status, std::string_view reason) {
  Outcome outcome;
  outcome.kind = kind_of(final_consequence(meaning));
  if (outcome.kind == OutcomeKind::accepted) return outcome;
  outcome.code = std::to_string(status);
  if (!reason.empty()) outcome.code.append(" ").append(reason);
  outcome.message = meaning.message;
  outcome.retry_min = meaning.retry_min;
  outcome.is_of_server = final_consequence(meaning) == Consequence::retry_provider;
  return outcome;
}

}  // namespace notify::rules
