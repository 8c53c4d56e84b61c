#include "edges/cli/decision_text.hpp"

#include "base/text.hpp"

namespace notify::edges {
namespace {

using rules::Decision;
using rules::Rule;
using rules::Verdict;

std::string outcome(const Decision& decision) {
  switch (decision.verdict) {
    case Verdict::deliver: return "it is delivered";
    case Verdict::deliver_silently: return "it is delivered without sound";
    case Verdict::defer: return "it waits until " + base::to_rfc3339(*decision.until);
    case Verdict::suppress: return "it is not delivered";
  }
  return "";
}

std::string otherwise(const Decision& decision) {
  switch (decision.verdict) {
    case Verdict::deliver: return "it would be delivered";
    case Verdict::deliver_silently: return "it would be delivered without sound";
    case Verdict::defer: return "it would wait until " + base::to_rfc3339(*decision.until);
    case Verdict::suppress: return "it would still not be delivered";
  }
  return "";
}

std::string because(Rule rule) {
  switch (rule) {
    case Rule::lifetime: return "its time is over or it was cancelled";
    case Rule::known_user: return "there is no such user";
    case Rule::user_enabled: return "the user has switched all notifications off";
    case Rule::type_enabled: return "the user has switched off notifications of this type";
    case Rule::conversation_enabled:
      return "the user has switched off notifications of this conversation";
    case Rule::mute: return "the user has muted this conversation";
    case Rule::level: return "the user wants less of this conversation";
    case Rule::rate_limit: return "too many were sent";
    case Rule::quiet_hours: return "it is quiet at the user's";
    case Rule::burst: return "the user wants one for a burst";
  }
  return "";
}

}  // namespace

std::string tell(const rules::Circumstances& facts, const Decision& decision) {
  std::string text = std::string(rules::name(decision.verdict)) + ": " + outcome(decision);
  text += decision.by ? ", because " + because(*decision.by) : ": no rule objects";
  text += '\n';
  for (const rules::Finding& finding : rules::findings(facts, decision)) {
    const std::string rule(rules::name(finding.rule));
    const std::string result(rules::name(finding.result));
    text += "  " + rule + std::string(22 - rule.size(), ' ') + result;
    text += std::string(10 - result.size(), ' ') + finding.input + '\n';
  }
  if (!decision.by) return text;
  const Decision without = rules::decide(facts, decision.by);
  text += "  otherwise: " + otherwise(without);
  if (without.by) text += ", because " + because(*without.by);
  return text + '\n';
}

}  // namespace notify::edges
