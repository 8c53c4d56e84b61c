#include "rules/decision.hpp"

#include <algorithm>

#include "base/json_object.hpp"
#include "base/text.hpp"

namespace notify::rules {
namespace {

bool contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

Decision suppressed(Rule by) { return {Verdict::suppress, by, {}}; }

bool is_muted(const Circumstances& facts) {
  return facts.conversation.muted_until && *facts.conversation.muted_until > facts.now;
}

bool is_below_level(const Circumstances& facts) {
  switch (facts.conversation.level) {
    case NotificationLevel::all: return false;
    case NotificationLevel::mentions: return !facts.notification.is_mention();
    case NotificationLevel::none: return true;
  }
  return false;
}

bool is_type_off(const Circumstances& facts) {
  const auto found = facts.user.types.find(facts.notification.type);
  return found != facts.user.types.end() && !found->second;
}

bool is_excepted(const QuietHours& hours, const std::string& type) {
  return contains(hours.exceptions, type);
}

std::optional<Decision> ask_quiet_hours(const Circumstances& facts) {
  if (facts.user.quiet_hours_unreadable) {
    return Decision{Verdict::deliver_silently, Rule::quiet_hours, {}};
  }
  if (!facts.user.quiet_hours) return std::nullopt;
  const QuietHours& hours = *facts.user.quiet_hours;
  if (is_excepted(hours, facts.notification.type) || !is_quiet(hours, facts.now)) {
    return std::nullopt;
  }
  // Nobody hears or sees a background push: it comes, and tells the app that it is quiet.
  if (facts.notification.presentation.background) {
    return Decision{Verdict::deliver_silently, Rule::quiet_hours, {}};
  }
  switch (hours.mode) {
    case QuietMode::silent: return Decision{Verdict::deliver_silently, Rule::quiet_hours, {}};
    case QuietMode::drop: return suppressed(Rule::quiet_hours);
    case QuietMode::defer: break;
  }
  const auto until = quiet_until(hours, facts.now);
  // Quiet that never ends: there is nothing to wait for.
  if (!until) return suppressed(Rule::quiet_hours);
  return Decision{Verdict::defer, Rule::quiet_hours, until};
}

std::optional<Decision> ask_burst(const Circumstances& facts) {
  if (!facts.burst_until || !facts.is_kept) return std::nullopt;
  // What would be over by then comes now.
  if (*facts.burst_until >= facts.notification.expires_at) return std::nullopt;
  return Decision{Verdict::defer, Rule::burst, facts.burst_until};
}

std::optional<Decision> ask(Rule rule, const Circumstances& facts) {
  const auto suppress_if = [rule](bool objects) {
    return objects ? std::optional(suppressed(rule)) : std::nullopt;
  };
  switch (rule) {
    case Rule::lifetime:
      return suppress_if(facts.is_cancelled || facts.now >= facts.notification.expires_at);
    case Rule::known_user: return suppress_if(!facts.user_is_known);
    case Rule::user_enabled: return suppress_if(!facts.user.notifications_enabled);
    case Rule::type_enabled: return suppress_if(is_type_off(facts));
    case Rule::conversation_enabled: return suppress_if(!facts.conversation.notifications_enabled);
    case Rule::mute: return suppress_if(is_muted(facts));
    case Rule::level: return suppress_if(is_below_level(facts));
    case Rule::rate_limit: return suppress_if(facts.limit_reached.has_value());
    case Rule::quiet_hours: return ask_quiet_hours(facts);
    case Rule::burst: return ask_burst(facts);
  }
  return std::nullopt;
}

/// Critical notifications are stopped by these alone.
bool is_for_all(Rule rule) { return rule == Rule::lifetime || rule == Rule::known_user; }

std::string enabled_text(std::string_view setting, bool value) {
  return std::string(setting) + (value ? " = true" : " = false");
}

std::string lifetime_input(const Circumstances& facts) {
  if (facts.is_cancelled) return "it was cancelled";
  return "expires_at = " + base::to_rfc3339(facts.notification.expires_at) + ", and it is " +
         base::to_rfc3339(facts.now);
}

std::string mute_input(const Circumstances& facts) {
  const auto& until = facts.conversation.muted_until;
  if (!until) return "conversation.muted_until is not set";
  return "conversation.muted_until = " + base::to_rfc3339(*until) + ", and it is " +
         base::to_rfc3339(facts.now);
}

std::string type_input(const Circumstances& facts) {
  const std::string& type = facts.notification.type;
  const auto found = facts.user.types.find(type);
  if (found == facts.user.types.end()) return "preferences.types has no \"" + type + "\"";
  return enabled_text("preferences.types[\"" + type + "\"]", found->second);
}

std::string level_input(const Circumstances& facts) {
  return "conversation.notification_level = " + std::string(name(facts.conversation.level)) +
         (facts.notification.is_mention() ? ", and it mentions the user"
                                          : ", and it does not mention the user");
}

std::string quiet_input(const Circumstances& facts) {
  if (facts.user.quiet_hours_unreadable) return "quiet_hours cannot be read: silent, to be safe";
  if (!facts.user.quiet_hours) return "quiet_hours are not enabled";
  const QuietHours& hours = *facts.user.quiet_hours;
  const auto shown = hours.zone.read(facts.now).shown;
  const auto midnight = std::chrono::floor<std::chrono::days>(shown);
  std::string text = "quiet_hours " + clock_text(hours.start) + " to " + clock_text(hours.end) +
                     " " + std::string(hours.zone.name()) + ", mode " +
                     std::string(name(hours.mode)) + ", and the clock there shows " +
                     clock_text(shown - midnight);
  if (is_excepted(hours, facts.notification.type)) {
    text += "; \"" + facts.notification.type + "\" is excepted";
  }
  if (facts.notification.presentation.background) {
    text += "; a background push is not held back";
  } else if (!facts.is_kept && hours.mode == QuietMode::defer) {
    text += "; \"" + facts.notification.type +
            "\" is worth less than expiry.kept_min, so it is not kept for later: it expires at " +
            base::to_rfc3339(facts.notification.expires_at);
  }
  return text;
}

std::string burst_input(const Circumstances& facts) {
  std::string setting = enabled_text("preferences.group_bursts", facts.user.group_bursts);
  if (!facts.user.group_bursts) return setting;
  if (!facts.is_groupable) return setting + ", and this one is none that is grouped";
  if (!facts.is_kept) return setting + ", and this one is worth less than expiry.kept_min";
  if (!facts.burst_until) return setting + ", and no burst of its conversation is under way";
  return setting +
         ", and one of its conversation was delivered just now: the next come as one at " +
         base::to_rfc3339(*facts.burst_until);
}

std::string user_input(const Circumstances& facts) {
  if (facts.user_is_assumed) {
    return std::string("user-service did not answer, and user_service.when_down is ") +
           (facts.user_is_known ? "deliver" : "suppress");
  }
  return facts.user_is_known ? "the user is known" : "user-service does not know the user";
}

std::string input_of(Rule rule, const Circumstances& facts) {
  switch (rule) {
    case Rule::lifetime: return lifetime_input(facts);
    case Rule::known_user: return user_input(facts);
    case Rule::user_enabled:
      return enabled_text("notifications_enabled", facts.user.notifications_enabled);
    case Rule::type_enabled: return type_input(facts);
    case Rule::conversation_enabled:
      return enabled_text("conversation.notifications_enabled",
                          facts.conversation.notifications_enabled);
    case Rule::mute: return mute_input(facts);
    case Rule::level: return level_input(facts);
    case Rule::rate_limit:
      return facts.limit_reached ? describe(*facts.limit_reached) : "no limit is reached";
    case Rule::quiet_hours: return quiet_input(facts);
    case Rule::burst: return burst_input(facts);
  }
  return "";
}

/// What the rule found of who has set nothing, it finds of this user too.
bool finds_default(Rule rule, const Circumstances& facts) {
  switch (rule) {
    case Rule::lifetime: return !facts.is_cancelled;
    case Rule::known_user: return facts.user_is_known && !facts.user_is_assumed;
    case Rule::user_enabled: return facts.user.notifications_enabled;
    case Rule::type_enabled: return !facts.user.types.contains(facts.notification.type);
    case Rule::conversation_enabled: return facts.conversation.notifications_enabled;
    case Rule::mute: return !facts.conversation.muted_until;
    case Rule::level: return facts.conversation.level == NotificationLevel::all;
    case Rule::rate_limit: return !facts.limit_reached;
    case Rule::quiet_hours: return !facts.user.quiet_hours && !facts.user.quiet_hours_unreadable;
    case Rule::burst: return !facts.user.group_bursts;
  }
  return false;
}

Finding finding_of(Rule rule, const Circumstances& facts, const Decision& decision) {
  using enum Finding::Result;
  const bool is_bypassed = facts.is_critical && !is_for_all(rule);
  return {rule,
          rule == decision.by ? decided
          : is_bypassed       ? bypassed
                              : passed,
          input_of(rule, facts)};
}

/// Most of what they find needs no words.
std::vector<Finding> telling_findings(const Circumstances& facts, const Decision& decision) {
  std::vector<Finding> telling;
  for (const Rule rule : kRules) {
    // What waits may live longer for it, and then its record says another end.
    const bool is_as_ever = finds_default(rule, facts) && !facts.is_critical &&
                            !(rule == Rule::lifetime && decision.verdict == Verdict::defer);
    if (rule == decision.by || !is_as_ever) telling.push_back(finding_of(rule, facts, decision));
    if (rule == decision.by) break;
  }
  return telling;
}

}  // namespace

bool TypePolicy::is_critical(const Notification& n) const { return contains(critical, n.type); }

bool TypePolicy::may_send(std::string_view caller, const Notification& n) const {
  return critical_callers.empty() || !is_critical(n) || contains(critical_callers, caller);
}

bool TypePolicy::is_groupable(const Notification& n) const {
  return n.conversation && !n.is_mention() && !n.presentation.background &&
         contains(grouped, n.type) && !is_critical(n);
}

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::deliver: return "deliver";
    case Verdict::deliver_silently: return "deliver silently";
    case Verdict::defer: return "defer";
    case Verdict::suppress: return "suppress";
  }
  return "";
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  for (const Verdict verdict :
       {Verdict::deliver, Verdict::deliver_silently, Verdict::defer, Verdict::suppress}) {
    if (text == name(verdict)) return verdict;
  }
  return std::nullopt;
}

std::string_view name(Rule rule) {
  switch (rule) {
    case Rule::lifetime: return "lifetime";
    case Rule::known_user: return "known_user";
    case Rule::user_enabled: return "user_enabled";
    case Rule::type_enabled: return "type_enabled";
    case Rule::conversation_enabled: return "conversation_enabled";
    case Rule::mute: return "mute";
    case Rule::level: return "level";
    case Rule::rate_limit: return "rate_limit";
    case Rule::quiet_hours: return "quiet_hours";
    case Rule::burst: return "burst";
  }
  return "";
}

std::string_view name(Finding::Result result) {
  switch (result) {
    case Finding::Result::passed: return "passed";
    case Finding::Result::decided: return "decided";
    case Finding::Result::bypassed: return "bypassed";
  }
  return "";
}

Decision decide(const Circumstances& facts, std::optional<Rule> without) {
  for (const Rule rule : kRules) {
    if (rule == without || (facts.is_critical && !is_for_all(rule))) continue;
    auto decision = ask(rule, facts);
    if (!decision) continue;
    decision->is_grouped =
        decision->verdict == Verdict::defer && facts.is_groupable && facts.user.group_bursts;
    return *decision;
  }
  return {};
}

std::vector<Finding> findings(const Circumstances& facts, const Decision& decision) {
  std::vector<Finding> all;
  for (const Rule rule : kRules) {
    all.push_back(finding_of(rule, facts, decision));
    if (rule == decision.by) break;
  }
  return all;
}

std::vector<RecordedDecision::Reason> all_reasons(const Notification& n,
                                                  const RecordedDecision& decision) {
  if (!decision.by_defaults && !decision.leaves_out_defaults) return decision.reasons;
  const UserSettings user;
  const ConversationSettings conversation;
  const Circumstances facts{n, user, conversation, decision.at.value_or(n.created_at())};
  std::vector<RecordedDecision::Reason> reasons;
  for (const Rule rule : kRules) {
    const auto told = std::find_if(decision.reasons.begin(), decision.reasons.end(),
                                   [rule](const auto& one) { return one.rule == name(rule); });
    if (told != decision.reasons.end()) {
      reasons.push_back(*told);
    } else {
      Finding finding = finding_of(rule, facts, {});
      reasons.push_back(
          {std::string(name(rule)), std::string(name(finding.result)), std::move(finding.input)});
    }
    if (decision.by == name(rule)) break;
  }
  return reasons;
}

std::string encode_findings(const std::vector<Finding>& findings) {
  std::string json = "[";
  for (const Finding& finding : findings) {
    base::JsonObject object;
    object.text("rule", name(finding.rule))
        .text("result", name(finding.result))
        .text("input", finding.input);
    json += (json.size() > 1 ? "," : "") + std::move(object).finish();
  }
  return json + "]";
}

std::string encode_decision(const Circumstances& facts, const Decision& decision) {
  base::JsonObject object;
  object.text("at", base::to_rfc3339(facts.now)).text("verdict", name(decision.verdict));
  if (decision.by) object.text("by", name(*decision.by));
  if (decision.until) object.text("until", base::to_rfc3339(*decision.until));
  if (decision.is_grouped) object.number("group", decision.until->time_since_epoch().count());
  object.raw("reasons", encode_findings(telling_findings(facts, decision)))
      .text("others", "default");
  return std::move(object).finish();
}

std::string encode_scheduled(base::WallTime now, base::WallTime deliver_at) {
  base::JsonObject reason;
  reason.text("rule", "deliver_at")
      .text("result", name(Finding::Result::decided))
      .text("input", "deliver_at = " + base::to_rfc3339(deliver_at) + ", and it is " +
                         base::to_rfc3339(now));
  base::JsonObject object;
  object.text("at", base::to_rfc3339(now))
      .text("verdict", name(Verdict::defer))
      .text("by", "deliver_at")
      .text("until", base::to_rfc3339(deliver_at))
      .raw("reasons", "[" + std::move(reason).finish() + "]");
  return std::move(object).finish();
}

}  // namespace notify::rules
