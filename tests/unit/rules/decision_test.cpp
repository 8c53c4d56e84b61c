#include "rules/decision.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "fakes/samples.hpp"
#include "rules/codec.hpp"

namespace notify::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// A Wednesday, 23:30 in Paris.
const base::WallTime kNow = base::parse_sql_timestamp("2026-01-14 22:30:00").value();

struct DecisionTest : testing::Test {
  Notification notification = fakes::sample_notification(kNow);
  UserSettings user;
  ConversationSettings conversation;
  Circumstances facts{notification, user, conversation, kNow};

  void night(QuietMode mode = QuietMode::defer) {
    user.quiet_hours = QuietHours{hours(22), hours(7), *base::TimeZone::find("Europe/Paris")};
    user.quiet_hours->mode = mode;
  }
  [[nodiscard]] Decision suppressed(Rule by) const { return {Verdict::suppress, by, {}}; }
};

TEST_F(DecisionTest, DefaultsDeliver) { EXPECT_EQ(decide(facts), Decision()); }

TEST_F(DecisionTest, WhatIsOverOrUnknownIsSuppressed) {
  facts.is_cancelled = true;
  EXPECT_EQ(decide(facts), suppressed(Rule::lifetime));
  facts.is_cancelled = false;
  facts.now = notification.expires_at;
  EXPECT_EQ(decide(facts), suppressed(Rule::lifetime));
  facts.now -= std::chrono::milliseconds(1);
  EXPECT_EQ(decide(facts), Decision());
  facts.user_is_known = false;
  EXPECT_EQ(decide(facts), suppressed(Rule::known_user));
}

TEST_F(DecisionTest, EachSwitchSuppresses) {
  user.notifications_enabled = false;
  EXPECT_EQ(decide(facts), suppressed(Rule::user_enabled));
  user = {};
  user.types = {{"message", false}, {"call", true}};
  EXPECT_EQ(decide(facts), suppressed(Rule::type_enabled));
  notification.type = "call";
  EXPECT_EQ(decide(facts), Decision());
  conversation.notifications_enabled = false;
  EXPECT_EQ(decide(facts), suppressed(Rule::conversation_enabled));
}

TEST_F(DecisionTest, MutedIsUntilTheInstantAndNoLonger) {
  conversation.muted_until = kNow + std::chrono::milliseconds(1);
  EXPECT_EQ(decide(facts), suppressed(Rule::mute));
  conversation.muted_until = kNow;
  EXPECT_EQ(decide(facts), Decision());
}

TEST_F(DecisionTest, AMentionIsWhatIsMarkedAsOneOrIsOfThatType) {
  conversation.level = NotificationLevel::mentions;
  EXPECT_EQ(decide(facts), suppressed(Rule::level));
  notification.presentation.mention = true;
  EXPECT_EQ(decide(facts), Decision());
  notification.presentation.mention = false;
  notification.type = "mention";
  EXPECT_EQ(decide(facts), Decision());
  conversation.level = NotificationLevel::none;
  EXPECT_EQ(decide(facts), suppressed(Rule::level));
}

TEST_F(DecisionTest, ALimitSuppresses) {
  facts.limit_reached = LimitReached{"user.1m", 60, 60};
  EXPECT_EQ(decide(facts), suppressed(Rule::rate_limit));
}

TEST_F(DecisionTest, QuietHoursDoWhatTheirModeSays) {
  night();
  const auto morning = base::parse_sql_timestamp("2026-01-15 06:00:00").value();
  EXPECT_EQ(decide(facts), (Decision{Verdict::defer, Rule::quiet_hours, morning}));
  night(QuietMode::silent);
  EXPECT_EQ(decide(facts), (Decision{Verdict::deliver_silently, Rule::quiet_hours, {}}));
  night(QuietMode::drop);
  EXPECT_EQ(decide(facts), suppressed(Rule::quiet_hours));
  user.quiet_hours->exceptions = {"message"};
  EXPECT_EQ(decide(facts), Decision());
}

TEST_F(DecisionTest, ABackgroundPushIsNotHeldBackByQuietHours) {
  notification.presentation.background = true;
  for (const QuietMode mode : {QuietMode::defer, QuietMode::silent, QuietMode::drop}) {
    night(mode);
    EXPECT_EQ(decide(facts), (Decision{Verdict::deliver_silently, Rule::quiet_hours, {}}));
  }
  EXPECT_TRUE(findings(facts, decide(facts))
                  .back()
                  .input.ends_with("; a background push is not held back"));
}

TEST_F(DecisionTest, QuietThatNeverEndsIsNotWaitedFor) {
  night();
  user.quiet_hours->end = user.quiet_hours->start;
  EXPECT_EQ(decide(facts), suppressed(Rule::quiet_hours));
}

TEST_F(DecisionTest, WithQuietHoursThatNobodyCanReadNobodyIsWoken) {
  user.quiet_hours_unreadable = true;
  EXPECT_EQ(decide(facts).verdict, Verdict::deliver_silently);
}

TEST_F(DecisionTest, WhatIsPartOfABurstWaitsForItsEnd) {
  user.group_bursts = true;
  facts.is_groupable = true;
  EXPECT_EQ(decide(facts), Decision());
  facts.burst_until = kNow + minutes(1);
  EXPECT_EQ(decide(facts), (Decision{Verdict::defer, Rule::burst, facts.burst_until, true}));
  EXPECT_EQ(findings(facts, decide(facts)).back().input,
            "preferences.group_bursts = true, and one of its conversation was delivered just now: "
            "the next come as one at " +
                base::to_rfc3339(*facts.burst_until));
  notification.expires_at = kNow + minutes(1);
  EXPECT_EQ(decide(facts), Decision()) << "what would be over by then";
}

TEST_F(DecisionTest, WhatIsNotKeptForLaterDoesNotWaitForTheEndOfABurst) {
  user.group_bursts = true;
  facts.is_groupable = true;
  facts.burst_until = kNow + minutes(1);
  facts.is_kept = false;
  EXPECT_EQ(decide(facts), Decision());
  EXPECT_EQ(findings(facts, decide(facts)).back().input,
            "preferences.group_bursts = true, and this one is worth less than expiry.kept_min");
}

TEST_F(DecisionTest, TheRecordSaysWhatIsNotKeptUntilTheMorning) {
  night();
  facts.is_kept = false;
  const Decision decision = decide(facts);
  EXPECT_EQ(decision.verdict, Verdict::defer);
  EXPECT_TRUE(findings(facts, decision)
                  .back()
                  .input.ends_with("; \"message\" is worth less than expiry.kept_min, so it is not "
                                   "kept for later: it expires "
                                   "at " +
                                   base::to_rfc3339(notification.expires_at)));
}

TEST_F(DecisionTest, WhatWaitsForTheMorningIsGroupedToo) {
  night();
  facts.is_groupable = true;
  EXPECT_FALSE(decide(facts).is_grouped);
  user.group_bursts = true;
  EXPECT_TRUE(decide(facts).is_grouped);
  facts.is_groupable = false;
  EXPECT_FALSE(decide(facts).is_grouped);
}

TEST_F(DecisionTest, WhatIsGroupedIsOfAConversationAndForNobodyInParticular) {
  const TypePolicy types{.critical = {"security"}, .grouped = {"message", "security"}};
  EXPECT_FALSE(types.is_groupable(notification)) << "of no conversation";
  notification.conversation =
      base::ConversationId(fakes::uuid("c0000000-0000-4000-8000-000000000001"));
  EXPECT_TRUE(types.is_groupable(notification));
  notification.presentation.mention = true;
  EXPECT_FALSE(types.is_groupable(notification));
  notification.presentation = {.background = true};
  EXPECT_FALSE(types.is_groupable(notification));
  notification.presentation = {};
  notification.type = "security";
  EXPECT_FALSE(types.is_groupable(notification));
  notification.type = "call";
  EXPECT_FALSE(types.is_groupable(notification));
}

TEST_F(DecisionTest, CriticalTypesAreSentByWhoIsNamedForIt) {
  TypePolicy types{.critical = {"security"}};
  notification.type = "security";
  EXPECT_TRUE(types.may_send("", notification)) << "nobody is named";
  types.critical_callers = {"spiffe://w/auth-service"};
  EXPECT_TRUE(types.may_send("spiffe://w/auth-service", notification));
  EXPECT_FALSE(types.may_send("spiffe://w/auth-service-2", notification));
  EXPECT_FALSE(types.may_send("", notification));
  notification.type = "message";
  EXPECT_TRUE(types.may_send("", notification));
}

TEST_F(DecisionTest, TheFirstToObjectDecides) {
  night();
  facts.burst_until = kNow + minutes(1);
  facts.limit_reached = LimitReached{"user.1m", 60, 60};
  conversation = {.notifications_enabled = false, .level = NotificationLevel::none};
  conversation.muted_until = kNow + hours(1);
  user.notifications_enabled = false;
  user.types = {{"message", false}};
  facts.user_is_known = false;
  facts.is_cancelled = true;
  for (const Rule rule : kRules) {
    const Decision decision = decide(facts);
    EXPECT_EQ(decision.by, rule);
    switch (rule) {  // takes its objection away
      case Rule::lifetime: facts.is_cancelled = false; break;
      case Rule::known_user: facts.user_is_known = true; break;
      case Rule::user_enabled: user.notifications_enabled = true; break;
      case Rule::type_enabled: user.types.clear(); break;
      case Rule::conversation_enabled: conversation.notifications_enabled = true; break;
      case Rule::mute: conversation.muted_until.reset(); break;
      case Rule::level: conversation.level = NotificationLevel::all; break;
      case Rule::rate_limit: facts.limit_reached.reset(); break;
      case Rule::quiet_hours: user.quiet_hours.reset(); break;
      case Rule::burst: facts.burst_until.reset(); break;
    }
  }
  EXPECT_EQ(decide(facts), Decision());
}

TEST_F(DecisionTest, CriticalPassesAllButItsLifetimeAndTheUser) {
  facts.is_critical = true;
  night(QuietMode::drop);
  user.notifications_enabled = false;
  user.types = {{"message", false}};
  conversation = {.notifications_enabled = false, .level = NotificationLevel::none};
  facts.limit_reached = LimitReached{"user.1m", 60, 60};
  EXPECT_EQ(decide(facts), Decision());
  facts.user_is_known = false;
  EXPECT_EQ(decide(facts), suppressed(Rule::known_user));
  facts.is_cancelled = true;
  EXPECT_EQ(decide(facts), suppressed(Rule::lifetime));
}

TEST_F(DecisionTest, WhatWouldHaveHappenedOtherwise) {
  night();
  conversation.muted_until = kNow + hours(1);
  EXPECT_EQ(decide(facts).by, Rule::mute);
  EXPECT_EQ(decide(facts, Rule::mute).verdict, Verdict::defer);
}

TEST_F(DecisionTest, FindingsEndWithTheRuleThatDecided) {
  conversation.muted_until = kNow + minutes(5);
  const auto all = findings(facts, decide(facts));
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all.front().result, Finding::Result::passed);
  EXPECT_EQ(all.back().rule, Rule::mute);
  EXPECT_EQ(all.back().result, Finding::Result::decided);
  EXPECT_EQ(all.back().input,
            "conversation.muted_until = 2026-01-14T22:35:00.000Z, and it is "
            "2026-01-14T22:30:00.000Z");
}

TEST_F(DecisionTest, FindingsOfACriticalOneSayWhatWasPassedOver) {
  facts.is_critical = true;
  const auto all = findings(facts, decide(facts));
  ASSERT_EQ(all.size(), std::size(kRules));
  EXPECT_EQ(all[1].result, Finding::Result::passed);
  EXPECT_EQ(all[2].result, Finding::Result::bypassed);
}

TEST_F(DecisionTest, WhatTheRecordLeavesOutIsToldAllTheSame) {
  std::size_t longest = 0;
  const auto told_alike = [&](const char* what) {
    const Decision decision = decide(facts);
    const std::string json = encode_decision(facts, decision);
    longest = std::max(longest, json.size());
    const auto recorded = decode_metadata("{\"decision\":" + json + "}")->decisions.first;
    ASSERT_TRUE(recorded) << what;
    const auto told = all_reasons(notification, *recorded);
    const auto found = findings(facts, decision);
    ASSERT_EQ(told.size(), found.size()) << what;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(told[i].rule, name(found[i].rule)) << what;
      EXPECT_EQ(told[i].result, name(found[i].result)) << what;
      EXPECT_EQ(told[i].input, found[i].input) << what;
    }
  };
  told_alike("nothing set");
  night(QuietMode::silent);
  told_alike("silent");
  night(QuietMode::defer);
  told_alike("deferred");
  EXPECT_LT(longest, 500u);
  user.quiet_hours.reset();
  user.types = {{"call", false}};
  told_alike("another type is off");
  user.types = {{"message", true}};
  told_alike("this type is on");
  user.group_bursts = true;
  conversation.muted_until = kNow - hours(1);
  told_alike("was muted");
  conversation = {.level = NotificationLevel::mentions};
  told_alike("mentions");
  conversation = {.notifications_enabled = false};
  told_alike("off");
  conversation = {};
  facts.limit_reached = LimitReached{"user.1m", 60, 60};
  told_alike("over a limit");
  facts.limit_reached.reset();
  facts.user_is_assumed = true;
  told_alike("assumed");
  facts.user_is_known = false;
  told_alike("unknown");
  facts.is_cancelled = true;
  told_alike("cancelled");
  facts.is_cancelled = facts.user_is_assumed = false;
  facts.user_is_known = facts.is_critical = true;
  user.notifications_enabled = false;
  told_alike("critical");
}

TEST_F(DecisionTest, IsWrittenAsJson) {
  night();
  const auto json = nlohmann::json::parse(encode_decision(facts, decide(facts)));
  EXPECT_EQ(json["verdict"], "defer");
  EXPECT_EQ(json["by"], "quiet_hours");
  EXPECT_EQ(json["until"], "2026-01-15T06:00:00.000Z");
  EXPECT_EQ(json["others"], "default");
  EXPECT_EQ(json["reasons"].size(), 2u) << "of what waits also until when it lives";
  EXPECT_EQ(json["reasons"].back()["input"],
            "quiet_hours 22:00 to 07:00 Europe/Paris, mode defer, and the clock there shows 23:30");
}

}  // namespace
}  // namespace notify::rules
