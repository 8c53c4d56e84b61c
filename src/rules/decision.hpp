#pragma once
// Whether and how a user hears of a notification (SPEC §6). The only way to a delivery: whatever
// came in by a call, a batch or a stream, was scheduled, deferred, retried or replayed, passes
// decide().

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/limits.hpp"
#include "rules/notification.hpp"
#include "rules/settings.hpp"

namespace notify::rules {

enum class Verdict : std::uint8_t { deliver = 1, deliver_silently, defer, suppress };
[[nodiscard]] std::string_view name(Verdict verdict);
[[nodiscard]] std::optional<Verdict> parse_verdict(std::string_view text);

/// In the order in which they are asked; the first that objects decides.
enum class Rule : std::uint8_t {
  lifetime,  ///< cancelled, or expired
  known_user,
  user_enabled,
  type_enabled,
  conversation_enabled,
  mute,
  level,
  rate_limit,
  quiet_hours,
  burst,
};
inline constexpr Rule kRules[] = {
    Rule::lifetime,     Rule::known_user,           Rule::user_enabled,
    Rule::type_enabled, Rule::conversation_enabled, Rule::mute,
    Rule::level,        Rule::rate_limit,           Rule::quiet_hours,
    Rule::burst};
/// The name in `metadata`, and what people search for.
[[nodiscard]] std::string_view name(Rule rule);

/// Types that are treated in a way of their own.
struct TypePolicy {
  std::vector<std::string> critical{"security", "security_alert"};  ///< no setting can stop them
  std::vector<std::string> grouped{"message"};  ///< one stands for a burst, if the user wants that
  /// Who may send critical ones, by identity; empty: everybody.
  std::vector<std::string> critical_callers{};

  [[nodiscard]] bool is_critical(const Notification& notification) const;
  [[nodiscard]] bool may_send(std::string_view caller, const Notification& notification) const;
  /// Mentions are not, nor what nobody sees.
  [[nodiscard]] bool is_groupable(const Notification& notification) const;
};

/// All that a decision depends on.
struct Circumstances {
  const Notification& notification;
  const UserSettings& user;
  const ConversationSettings& conversation;
  base::WallTime now;
  /// Of a type that the policy calls critical: only its lifetime and the user can stop it.
  bool is_critical = false;
  bool is_cancelled = false;
  bool user_is_known = true;
  /// user-service did not answer: whether the user is known is what the policy says.
  bool user_is_assumed = false;
  std::optional<LimitReached> limit_reached;
  bool is_groupable = false;  ///< as TypePolicy::is_groupable()
  bool is_kept = true;        ///< as ExpiryPolicy::is_kept()
  /// When the burst is over that it is part of, and of which one was delivered.
  std::optional<base::WallTime> burst_until;
};

struct Decision {
  Verdict verdict = Verdict::deliver;
  std::optional<Rule> by;               ///< who decided; unset: nobody objected
  std::optional<base::WallTime> until;  ///< with Verdict::defer
  /// With Verdict::defer: of those of its conversation that wait for the same, one comes.
  bool is_grouped = false;

  friend bool operator==(const Decision&, const Decision&) = default;
};

/// Pure. `without`: as if this rule were not there, to tell what would have happened otherwise.
[[nodiscard]] Decision decide(const Circumstances& facts, std::optional<Rule> without = {});

/// What one rule found.
struct Finding {
  enum class Result : std::uint8_t { passed = 1, decided, bypassed };
  Rule rule{};
  Result result{};
  std::string input;  ///< for people: the setting and its value, what it was compared with
};
[[nodiscard]] std::string_view name(Finding::Result result);

/// Every rule that was asked, up to the one that decided. `decision` is decide(facts).
[[nodiscard]] std::vector<Finding> findings(const Circumstances& facts, const Decision& decision);

/// `[{"rule":"lifetime","result":"passed","input":"…"},…]`
[[nodiscard]] std::string encode_findings(const std::vector<Finding>& findings);

/// What encode_decision() comes to for a plain delivery to who has set nothing, which is nearly
/// everybody: every rule passed, each on its default.
inline constexpr std::string_view kDecidedByDefaults =
    R"({"verdict":"deliver","settings":"default"})";

/// A decision as it was recorded, for people.
struct RecordedDecision {
  std::optional<base::WallTime> at;
  Verdict verdict = Verdict::deliver;
  std::string by;  ///< the rule; empty: nobody objected
  std::optional<base::WallTime> until;
  bool is_grouped = false;
  struct Reason {
    std::string rule;
    std::string result;
    std::string input;
  };
  std::vector<Reason> reasons;
  bool by_defaults = false;  ///< kDecidedByDefaults
  /// Of who has set nothing every rule finds the same: what it found so is not among the reasons.
  bool leaves_out_defaults = false;
};
/// What each rule found, up to the one that decided: also what the record leaves out.
[[nodiscard]] std::vector<RecordedDecision::Reason> all_reasons(const Notification& notification,
                                                                const RecordedDecision& decision);

/// The column `metadata`, at "decision": `{"at":"…","verdict":"suppress","by":"mute","reasons":
/// [..],"others":"default"}`: a rule is among the reasons if it decided, or found what it does not
/// find of who has set nothing. Of a grouped one with "group": the ms of until.
[[nodiscard]] std::string encode_decision(const Circumstances& facts, const Decision& decision);

/// The same of what is scheduled: at `deliver_at` it is decided, by the settings of then. No rule
/// of decide() has been asked.
[[nodiscard]] std::string encode_scheduled(base::WallTime now, base::WallTime deliver_at);

}  // namespace notify::rules
