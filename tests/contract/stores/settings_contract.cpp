#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

using base::Errc;

const base::ConversationId kFirst(fakes::uuid("c0000000-0000-4000-8000-000000000001"));
const base::ConversationId kSecond(fakes::uuid("c0000000-0000-4000-8000-000000000002"));

class SettingsContract : public LedgerContract {
 protected:
  base::UserId alice = fakes::sample_user(1);
  base::UserId bob = fakes::sample_user(2);

  stores::SettingsRows& rows() { return world->settings_rows(); }
  base::Expected<stores::UserRow> put(base::UserId user, rules::UserColumns columns) {
    return world->run(rows().put_user(user, std::move(columns), world->soon()));
  }
  base::Expected<stores::ConversationRow> put(base::UserId user, base::ConversationId conversation,
                                              rules::ConversationColumns columns) {
    return world->run(
        rows().put_conversation(user, {conversation, std::move(columns), {}}, world->soon()));
  }
  stores::UserRow user(base::UserId user) {
    return world->run(rows().user(user, world->soon())).value();
  }
  std::vector<stores::SettingsPtr> load(std::vector<base::UserId> users) {
    return world->run(world->settings().load(std::move(users), world->soon())).value().settings;
  }
  stores::SettingsChanges changed_since(base::WallTime since, std::int32_t limit = 100) {
    return world->run(world->settings().changed_since(since, limit, world->soon())).value();
  }
};

TEST_P(SettingsContract, WhoHasSetNothingHasTheDefaults) {
  EXPECT_EQ(user(alice).columns, rules::UserColumns());
  EXPECT_FALSE(user(alice).updated_at);
  EXPECT_EQ(load({alice, bob}),
            (std::vector{stores::default_settings(), stores::default_settings()}));
}

TEST_P(SettingsContract, WhatIsPutIsReadWithARevisionThatGrows) {
  rules::UserColumns columns;
  columns.sound_enabled = false;
  columns.notification_sound = "bell";
  columns.preferences = R"({"theme": 1})";
  const auto first = put(alice, columns);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->columns.revision, 1);
  EXPECT_TRUE(first->updated_at);
  columns = user(alice).columns;
  EXPECT_EQ(columns.notification_sound, "bell");
  columns.vibration_enabled = false;
  EXPECT_EQ(put(alice, columns)->columns.revision, 2);
  EXPECT_FALSE(user(alice).columns.vibration_enabled);
  EXPECT_FALSE(user(alice).columns.sound_enabled);
}

TEST_P(SettingsContract, APutThatGoesByAnotherRevisionIsAConflict) {
  ASSERT_TRUE(put(alice, {}));
  EXPECT_EQ(put(alice, {}).error().code, Errc::conflict) << "as if there were no row";
  EXPECT_EQ(put(alice, {.revision = 7}).error().code, Errc::conflict);
  EXPECT_EQ(put(bob, {.revision = 1}).error().code, Errc::conflict);
  ASSERT_TRUE(put(alice, kFirst, {}));
  EXPECT_EQ(put(alice, kFirst, {}).error().code, Errc::conflict);
  EXPECT_EQ(user(alice).columns.revision, 1);
}

TEST_P(SettingsContract, ConversationsArePagedById) {
  ASSERT_TRUE(put(alice, kSecond, {.notification_level = "none"}));
  ASSERT_TRUE(put(alice, kFirst, {.muted_until = started + 1h}));
  ASSERT_TRUE(put(bob, kFirst, {}));
  const auto page = [&](std::optional<base::ConversationId> after) {
    return world->run(rows().conversations(alice, after, 1, world->soon())).value();
  };
  ASSERT_EQ(page({}).size(), 1u);
  EXPECT_EQ(page({}).front().conversation, kFirst);
  EXPECT_EQ(page({}).front().columns.muted_until, started + 1h);
  EXPECT_EQ(page(kFirst).front().conversation, kSecond);
  EXPECT_TRUE(page(kSecond).empty());
  const auto none = world->run(rows().conversation(bob, kSecond, world->soon()));
  EXPECT_EQ(none->columns, rules::ConversationColumns());
}

TEST_P(SettingsContract, AllOfAUserIsLoadedAtOnceForManyUsers) {
  ASSERT_TRUE(put(alice, {.notifications_enabled = false}));
  ASSERT_TRUE(put(bob, kFirst, {.notification_level = "mentions"}));
  ASSERT_TRUE(put(bob, kSecond, {.muted_until = started + 1h}));
  const auto loaded = load({bob, fakes::sample_user(3), alice, bob});
  ASSERT_EQ(loaded.size(), 4u);
  EXPECT_EQ(loaded[1], stores::default_settings());
  EXPECT_FALSE(loaded[2]->user.notifications_enabled);
  EXPECT_TRUE(loaded[0]->user.notifications_enabled);
  EXPECT_EQ(loaded[0]->of(kFirst).level, rules::NotificationLevel::mentions);
  EXPECT_EQ(loaded[0]->of(kSecond).muted_until, started + 1h);
  EXPECT_EQ(loaded[2]->of(kFirst), rules::ConversationSettings());
  EXPECT_EQ(loaded[3]->of(kFirst).level, rules::NotificationLevel::mentions);
}

TEST_P(SettingsContract, ChangesAreToldWithTheirRevisions) {
  EXPECT_TRUE(changed_since(started - 1h).changes.empty());
  EXPECT_GE(changed_since(started - 1h).now, started - 1s);
  ASSERT_TRUE(put(alice, {}));
  ASSERT_TRUE(put(alice, {.revision = 1, .sound_enabled = false}));
  ASSERT_TRUE(put(bob, kFirst, {}));
  const auto found = changed_since(started - 1h);
  ASSERT_EQ(found.changes.size(), 2u);
  EXPECT_EQ(found.complete_since, started - 1h);
  for (const stores::SettingsChange& change : found.changes) {
    EXPECT_EQ(change.revision, change.user == alice ? 2 : 1);
  }
  EXPECT_TRUE(changed_since(found.now + 1h).changes.empty());
  EXPECT_GT(changed_since(started - 1h, 1).complete_since, started - 1h);
}

TEST_P(SettingsContract, WhatIsLoadedTellsWhenByTheClockOfTheChanges) {
  const auto before = changed_since(started).now;
  const auto loaded = world->run(world->settings().load({alice, bob}, world->soon())).value();
  EXPECT_LE(before, loaded.at);
  EXPECT_LE(loaded.at, changed_since(started).now);
}

TEST_P(SettingsContract, WhatIsDeferredWaitsInDueWithItsDecision) {
  auto deferred = fakes::submission(sample());
  deferred.status = rules::Status::deferred;
  deferred.due = stores::Due{started + 1h, stores::DueReason::deferred, {}};
  deferred.decision = R"({"verdict":"defer","by":"quiet_hours","reasons":[]})";
  auto suppressed = fakes::submission(sample(2));
  suppressed.status = rules::Status::suppressed;
  const auto waits = deferred.notification.id;
  const auto is_over = suppressed.notification.id;
  std::vector<stores::Submission> both;
  both.push_back(std::move(deferred));
  both.push_back(std::move(suppressed));
  const auto appended = append_all(std::move(both));
  EXPECT_EQ(appended[0]->status, rules::Status::deferred);
  EXPECT_EQ(appended[1]->status, rules::Status::suppressed);
  EXPECT_EQ(story(waits).due->at, started + 1h);
  EXPECT_EQ(story(waits).due->reason, stores::DueReason::deferred);
  EXPECT_EQ(story(waits).record.decisions.first->by, "quiet_hours");
  EXPECT_FALSE(story(is_over).due);
  EXPECT_TRUE(pending().empty());
  EXPECT_EQ(due(), std::vector{waits});
}

TEST_P(SettingsContract, WhatIsDeferredCanBeReleased) {
  std::vector<stores::Submission> alone;
  alone.push_back(fakes::submission(sample()));
  alone[0].status = rules::Status::deferred;
  alone[0].due = stores::Due{started + 1h, stores::DueReason::deferred, {}};
  alone[0].decision = R"({"verdict":"defer","by":"quiet_hours","reasons":[]})";
  const auto id = alone[0].notification.id;
  alone.push_back(fakes::submission(sample(2)));
  alone[1].status = rules::Status::deferred;
  alone[1].due = alone[0].due;
  alone[1].decision = R"({"verdict":"defer","by":"burst","reasons":[]})";
  const auto in_burst = alone[1].notification.id;
  append_all(std::move(alone));
  const auto release = [&](base::UserId user, base::WallTime at) {
    EXPECT_TRUE(world->run(world->ledger().release_deferred(user, at, world->soon())));
  };
  release(bob, started);
  EXPECT_EQ(story(id).due->at, started + 1h);
  release(alice, started + 2h);
  EXPECT_EQ(story(id).due->at, started + 1h) << "never later";
  release(alice, started);
  EXPECT_EQ(story(id).due->at, started);
  EXPECT_EQ(story(in_burst).due->at, started + 1h) << "a burst has its own end";
}

TEST_P(SettingsContract, ALaterDecisionStandsBesideTheFirst) {
  std::vector<stores::Submission> alone;
  alone.push_back(fakes::submission(sample()));
  alone[0].decision = std::string(rules::kDecidedByDefaults);
  const auto id = alone[0].notification.id;
  append_all(std::move(alone));
  stores::DeliveryRecord later;
  later.notification = id;
  later.status = rules::Status::deferred;
  later.at = started;
  later.due = stores::Due{started + 1h, stores::DueReason::deferred, {}};
  later.decision = R"({"verdict":"defer","by":"quiet_hours","reasons":[]})";
  later.expires_at = started + 9h;
  record(later);
  const stores::HistoryRecord stored = story(id).record;
  EXPECT_TRUE(stored.decisions.first->by_defaults);
  EXPECT_EQ(stored.decisions.later->by, "quiet_hours");
  EXPECT_EQ(stored.notification.expires_at, started + 9h);
  EXPECT_EQ(stored.status, rules::Status::deferred);
}

TEST_P(SettingsContract, OfACollapseGroupAllButTheNewestAreSuperseded) {
  std::vector<base::NotificationId> ids;
  for (std::uint8_t n = 1; n <= 4; ++n) {
    rules::Notification one = sample(n, 10s - 1s * n);
    if (n <= 3) one.presentation.collapse_id = n <= 2 ? "scores" : "news";
    append(one);
    ids.push_back(one.id);
  }
  const auto progress = world->run(world->ledger().progress(ids, world->soon())).value();
  EXPECT_TRUE(progress.at(ids[0]).is_superseded);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(progress.at(ids[i]).is_superseded) << i;
}

TEST_P(SettingsContract, OneThatDidNotComeAndOneThatComesLaterSupersedeNothing) {
  struct Newer {
    rules::Status status;
    bool replaces;
    std::optional<base::WallTime> deferred_until;
    std::chrono::hours lives = 4h;
  };
  using enum rules::Status;
  const Newer all[] = {{pending, true, {}},
                       {pending, false, {}, -1h},
                       {sent, true, {}},
                       {delivered, true, {}},
                       {delivered, true, {}, -1h},
                       {failed, false, {}},
                       {expired, false, {}},
                       {suppressed, false, {}},
                       {superseded, false, {}},
                       {deferred, false, started + 1h},
                       {deferred, true, started - 1s}};
  std::uint8_t n = 0;
  for (const Newer& one : all) {
    rules::Notification older = sample(++n, 10s);
    older.presentation.collapse_id = "score " + std::to_string(n);
    append(older);
    rules::Notification newer = sample(++n, 5s);
    newer.presentation.collapse_id = older.presentation.collapse_id;
    newer.expires_at = started + one.lives;
    append(newer);
    stores::DeliveryRecord became;
    became.notification = newer.id;
    became.at = started;
    if (one.status != pending) became.status = one.status;
    if (one.deferred_until) {
      became.due = stores::Due{*one.deferred_until, stores::DueReason::deferred, {}};
    }
    if (became.status || became.due) record(became);
    const auto progress = world->run(world->ledger().progress({older.id}, world->soon())).value();
    EXPECT_EQ(progress.at(older.id).is_superseded, one.replaces)
        << rules::name(one.status) << ' ' << +n;
  }
}

TEST_P(SettingsContract, WhatIsScheduledForLaterSupersedesNothingYet) {
  for (const auto ahead : {-1s, 3600s}) {
    const auto n = static_cast<std::uint8_t>(ahead < 0s ? 1 : 3);
    rules::Notification older = sample(n, 10s);
    older.presentation.collapse_id = "meeting " + std::to_string(n);
    rules::Notification newer = sample(n + 1, 5s);
    newer.presentation.collapse_id = older.presentation.collapse_id;
    newer.deliver_at = started + ahead;
    append(older);
    append(newer);
    const auto progress = world->run(world->ledger().progress({older.id}, world->soon())).value();
    EXPECT_EQ(progress.at(older.id).is_superseded, ahead < 0s);
  }
}

INSTANTIATE_TEST_SUITE_P(World, SettingsContract, testing::ValuesIn(ledger_worlds()));

}  // namespace
}  // namespace notify::contract
