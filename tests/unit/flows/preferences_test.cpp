#include "flows/preferences.hpp"

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using stores::UserRow;

class FakeAudit final : public stores::Audit {
 public:
  std::vector<std::string> actions;
  [[nodiscard]] async::Task<base::Expected<void>> append(stores::AuditEntry entry,
                                                         base::Deadline) override {
    actions.push_back(std::move(entry.action));
    co_return base::Expected<void>();
  }
};

/// All that is in the test's way of a change of one user's settings.
struct PreferencesTest : FlowTest {
  Node node{outside, "a", {}};
  Node other{outside, "b", {}};
  FakeAudit audit;
  Preferences here = preferences_at(node);
  Preferences there = preferences_at(other);
  base::ConversationId conversation{fakes::uuid("c0000000-0000-4000-8000-000000000001")};

  Preferences preferences_at(Node& at) {
    return Preferences({at.settings, at.ledger, audit, at.ids, at.clock,
                        [](std::string_view, const base::Error&) {}});
  }
  PreferenceCall call(std::chrono::milliseconds patience = 5s) {
    return {fakes::sample_user(), "dora", base::Deadline::after(outside.clock, patience)};
  }
  static Preferences::EditUser add_to_sound(std::string letter) {
    return [letter](rules::UserColumns& columns) {
      columns.notification_sound += letter;
      return rules::Violations();
    };
  }
  static Preferences::EditUser set_hours(std::string json) {
    return [json](rules::UserColumns& columns) {
      columns.quiet_hours = json;
      return rules::Violations();
    };
  }
  Answer<UserRow> change(Preferences::EditUser edit, std::int32_t revision = 0) {
    return node.run(here.change_user(call(), revision, std::move(edit)));
  }
};

TEST_F(PreferencesTest, ChangesThatMeetAreAllMade) {
  constexpr std::size_t kChanges = 20;
  std::vector<std::optional<Answer<UserRow>>> answers(kChanges);
  for (std::size_t i = 0; i < kChanges; ++i) {
    Node& at = i % 2 == 0 ? node : other;
    Preferences& preferences = i % 2 == 0 ? here : there;
    at.background.spawn(async::store_result(
        preferences.change_user(call(), 0,
                                add_to_sound(std::string(1, static_cast<char>('a' + i)))),
        answers[i]));
  }
  outside.time.run_for(2s);
  for (std::size_t i = 0; i < kChanges; ++i) {
    ASSERT_TRUE(answers[i]) << i;
    EXPECT_TRUE(*answers[i]) << i;
  }
  const rules::UserColumns& columns = outside.settings.users[fakes::sample_user()].user.columns;
  EXPECT_EQ(columns.revision, static_cast<std::int32_t>(kChanges));
  for (std::size_t i = 0; i < kChanges; ++i) {
    EXPECT_NE(columns.notification_sound.find(static_cast<char>('a' + i), 7), std::string::npos)
        << "the change " << i << " is in the last one, too";
  }
}

TEST_F(PreferencesTest, ChangesOfAConversationThatMeetAreAllMade) {
  std::vector<std::optional<Answer<stores::ConversationRow>>> answers(20);
  for (auto& answer : answers) {
    const auto edit = [](rules::ConversationColumns& columns) {
      columns.muted_until = columns.muted_until.value_or(base::WallTime()) + 1h;
      return rules::Violations();
    };
    node.background.spawn(
        async::store_result(here.change_conversation(call(), conversation, 0, edit), answer));
  }
  outside.time.run_for(2s);
  for (const auto& answer : answers) EXPECT_TRUE(answer && *answer);
  const auto& row = outside.settings.users[fakes::sample_user()].conversations.at(conversation);
  EXPECT_EQ(row.columns.muted_until, base::WallTime() + 20h);
}

TEST_F(PreferencesTest, OnlyAChangeThatNamesARevisionCanBeTooLate) {
  ASSERT_TRUE(change(add_to_sound("a")));
  ASSERT_TRUE(change(add_to_sound("b"), 1));
  EXPECT_EQ(change(add_to_sound("c"), 1).error().error.code, Errc::conflict);
  EXPECT_EQ(change(add_to_sound("c"))->columns.notification_sound, "defaultabc");
}

TEST_F(PreferencesTest, AChangeThatIsNeverInTimeEndsWithItsDeadline) {
  node.settings.fault.fail(Errc::conflict);
  const auto answer = node.run(here.change_user(call(300ms), 0, add_to_sound("a")));
  EXPECT_EQ(answer.error().error.code, Errc::conflict) << "of the reading";
  node.settings.fault.clear();
  // Another one changes it between each reading and writing.
  const auto meddle = [this](rules::UserColumns& columns) {
    outside.settings.put(fakes::sample_user(), columns);
    columns.sound_enabled = false;
    return rules::Violations();
  };
  const auto late = node.run(here.change_user(call(300ms), 0, meddle));
  EXPECT_EQ(late.error().error.code, Errc::timed_out);
}

TEST_F(PreferencesTest, AChangeThatChangesNothingLeavesNoTrace) {
  ASSERT_TRUE(change(add_to_sound("a")));
  audit.actions.clear();
  const auto nothing = [](rules::UserColumns&) { return rules::Violations(); };
  EXPECT_EQ(change(nothing)->columns.revision, 1);
  EXPECT_EQ(change(nothing, 1)->columns.revision, 1);
  EXPECT_EQ(audit.actions, std::vector<std::string>{});
}

/// Deferred notifications are released when decisions can differ, and only then.
TEST_F(PreferencesTest, WhatWaitsIsReleasedOnlyByOtherHours) {
  constexpr const char* kHours =
      R"({"enabled":true,"start":"22:00","end":"07:00","timezone":"UTC"})";
  ASSERT_TRUE(change(set_hours(kHours)));
  const auto waiting = committed(1);
  stores::Due due{now() + 5h, stores::DueReason::deferred, {}};
  const auto is_released = [&] {
    const bool released = outside.table.rows.at(waiting.id).due->at != due.at;
    outside.table.rows.at(waiting.id).due = due;
    return released;
  };
  outside.table.rows.at(waiting.id).due = due;
  outside.table.rows.at(waiting.id).record.decisions.first.emplace().by = "quiet_hours";
  ASSERT_TRUE(change(set_hours(R"({"start": "22:00", "end": "07:00", "enabled": true, )"
                               R"("timezone": "UTC", "icon": "moon"})")));
  EXPECT_FALSE(is_released()) << "what an app keeps there is no hour";
  ASSERT_TRUE(change(add_to_sound("a")));
  EXPECT_FALSE(is_released());
  ASSERT_TRUE(change(set_hours(R"({"enabled":false,"start":"22:00"})")));
  EXPECT_TRUE(is_released());
  ASSERT_TRUE(change(set_hours(R"({"enabled":false,"start":"23:00"})")));
  EXPECT_FALSE(is_released()) << "hours that are off, before and after";
}

/// Each one has all that waits decided about anew.
TEST_F(PreferencesTest, HoursAreNotChangedMoreThanTenTimesAMinute) {
  const auto hours = [](int minute) {
    return set_hours(R"({"enabled":true,"start":"22:00","end":"07:)" + std::to_string(10 + minute) +
                     R"(","timezone":"UTC"})");
  };
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(change(hours(i))) << i;
  ASSERT_TRUE(change(hours(9))) << "that changes nothing";
  outside.time.run_for(20s);
  const auto answer = change(hours(10));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::overloaded);
  EXPECT_GT(*answer.error().retry_after, 30s);
  EXPECT_LE(*answer.error().retry_after, 40s);
  ASSERT_TRUE(change(add_to_sound("a"))) << "other settings are not limited";
  outside.time.run_for(41s);
  EXPECT_TRUE(change(hours(10)));
}

}  // namespace
}  // namespace notify::flows
