#include "rules/providers_page.hpp"

#include "rules/conformance.hpp"

namespace notify::rules {
namespace {

std::string_view place_of(AnswerForm form) {
  switch (form) {
    case AnswerForm::status: return "";
    case AnswerForm::reason: return "`reason`";
    case AnswerForm::errno_code: return "`errno` (Mozilla)";
    case AnswerForm::wns_error: return "X-WNS-Error-Description (Microsoft)";
    case AnswerForm::fcm_error: return "an FcmError";
    case AnswerForm::rpc_status: return "google.rpc.Status, no FcmError";
    case AnswerForm::names_token: return "names the token and nothing else";
    case AnswerForm::names_field: return "names another field, or none";
  }
  return "";
}

std::string status_text(const Meaning& row) {
  if (row.status_max == 0 || row.status_max == row.status) return std::to_string(row.status);
  if (row.status == kStatusMin) return "any other";
  const bool is_open = row.status_max == kStatusMax;
  return std::to_string(row.status) +
         (is_open ? " and above" : "–" + std::to_string(row.status_max));
}

std::string consequence_text(const Meaning& row) {
  std::string text(name(row.leads_to));
  if (tries_again(row.leads_to)) {
    text.append(" and try once more; if that fails so: ").append(name(row.if_again));
  }
  if (row.retry_min.count() > 0) {
    text += ", not before " + std::to_string(row.retry_min.count()) + " s";
  }
  if (row.proviso == Proviso::environment_known) text += ", if its environment is known";
  if (row.proviso == Proviso::app_known) text += ", if its app is known";
  return text;
}

std::string reason_text(const Meaning& row) {
  if (!row.reason.empty()) return "`" + std::string(row.reason) + "`";
  return row.leads_to == Consequence::delivered ? "" : "any other, or none";
}

std::string row_line(const Meaning& row) {
  std::string line = "| " + status_text(row) + " | " + reason_text(row) + " | ";
  line.append(place_of(row.form)).append(" | ").append(consequence_text(row));
  return line.append(" | ").append(row.message).append(" |\n");
}

std::string answers_section(const PushService& service) {
  std::string text = "\n## Answers of `" + std::string(service.name) +
                     "`\n\n| status | reason | found in | leads to | meaning |\n"
                     "|---|---|---|---|---|\n";
  for (const Meaning& row : service.answers) text += row_line(row);
  return text;
}

std::string faults_section() {
  std::string text =
      "\n## Faults on the way, for every push service\n\n| the server, or the network | leads to | "
      "outcome | requests |\n|---|---|---|---|\n";
  for (const ConformanceCase& one : transport_cases(push_services().front())) {
    text.append("| ").append(one.event).append(" | ").append(name(one.leads_to));
    text.append(" | `").append(name(one.kind)).append("` | ");
    text.append(std::to_string(one.requests)).append(" |\n");
  }
  return text;
}

}  // namespace

std::string providers_markdown() {
  std::string text;
  for (const PushService& service : push_services()) text += answers_section(service);
  return text + faults_section();
}

}  // namespace notify::rules
