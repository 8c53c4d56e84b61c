#include "flows/deciding.hpp"

#include <algorithm>

namespace notify::flows {

rules::Circumstances Deciding::facts(const stores::Settings& settings, const rules::Notification& n,
                                     base::WallTime at) const {
  rules::Circumstances facts{n, settings.user, settings.of(n.conversation), at};
  facts.is_critical = is_critical(n);
  return facts;
}

bool Deciding::is_critical(const rules::Notification& n) const {
  const auto& critical = parts_.policy.critical_types;
  return std::find(critical.begin(), critical.end(), n.type) != critical.end();
}

bool Deciding::is_limited(const stores::Settings& settings, const rules::Notification& n) const {
  const rules::Circumstances known = facts(settings, n, parts_.clock.now());
  return !known.is_critical && rules::decide(known).verdict != rules::Verdict::suppress;
}

Deciding::Outcome Deciding::decide(const stores::Settings& settings, const rules::Notification& n,
                                   std::optional<rules::LimitReached> limit_reached) const {
  Outcome outcome;
  outcome.at = parts_.clock.now();
  outcome.limit_reached = std::move(limit_reached);
  rules::Circumstances known = facts(settings, n, outcome.at);
  known.limit_reached = outcome.limit_reached;
  outcome.decision = rules::decide(known);
  outcome.style = rules::style_of(known, outcome.decision);
  if (outcome.decision.until) {
    constexpr std::uint64_t kParts = 100'000;
    const auto part = static_cast<std::int64_t>(std::hash<base::UserId>{}(n.user) % kParts);
    outcome.release_at = *outcome.decision.until +
                         parts_.policy.release_jitter * part / static_cast<std::int64_t>(kParts);
    const auto worth = parts_.policy.expiry.of(n.type);
    if (n.expires_at == n.begins_at() + worth) outcome.expires_at = outcome.release_at + worth;
  }
  if (parts_.events.decided) parts_.events.decided(outcome.decision);
  return outcome;
}

std::string Deciding::record(const stores::Settings& settings, const rules::Notification& n,
                             const Outcome& outcome) const {
  rules::Circumstances known = facts(settings, n, outcome.at);
  known.limit_reached = outcome.limit_reached;
  if (&settings == stores::default_settings().get() && !outcome.decision.by && !known.is_critical) {
    return std::string(rules::kDecidedByDefaults);
  }
  return rules::encode_decision(known, outcome.decision);
}

}  // namespace notify::flows
