// What only the ledger in PostgreSQL can show: partitions, bad rows, and a server that goes away.

#include <future>
#include <stdexcept>

#include "base/text.hpp"
#include "contract/stores/real_worlds.hpp"
#include "rules/codec.hpp"

namespace notify::contract {
namespace {

using base::Errc;

struct PgLedgerTest : testing::Test {
  RealLedgerWorld world;
  base::WallTime started = world.now();

  rules::Notification sample(std::uint8_t n = 1) {
    return fakes::sample_notification(started - 1s, n);
  }
  base::Expected<void> append(rules::Notification n) {
    return world.run(fakes::append_one(world.ledger(), std::move(n)));
  }
  /// By a database whose clock stands there.
  std::vector<base::Expected<stores::Appended>> append_at(
      base::WallTime now, std::vector<stores::Submission> submissions) {
    world.set_clock_ahead(now - world.now());
    auto results = world.run(world.ledger().append(std::move(submissions), {}));
    world.set_clock_ahead(0ms);
    return results;
  }
  std::string count(const rules::Notification& n) {
    return postgres().sql("SELECT count(*) FROM notification_history WHERE id = '" +
                          n.id.to_string() + "'");
  }
  /// The month that holds this instant has no partitions from here on.
  static void drop_partitions(base::WallTime at) {
    const auto day = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(at));
    const std::string month = std::to_string(static_cast<int>(day.year())) + "_" +
                              (static_cast<unsigned>(day.month()) < 10 ? "0" : "") +
                              std::to_string(static_cast<unsigned>(day.month()));
    for (const char* parent : {"notification_history_", "delivery_attempts_"}) {
      postgres().sql("DROP TABLE IF EXISTS " + (parent + month));
    }
  }
};

TEST_F(PgLedgerTest, TheWriterMakesAPartitionThatIsMissing) {
  for (const auto ahead : {24h * 31, 24h * 62}) {
    const rules::Notification n = fakes::sample_notification(started + ahead);
    drop_partitions(n.created_at());
    const auto done = append_at(n.created_at(), {fakes::submission(n)});
    ASSERT_TRUE(done.at(0)) << done[0].error().detail;
    EXPECT_EQ(count(n), "1");
  }
}

TEST_F(PgLedgerTest, ABatchThatNeedsTwoMissingPartitionsIsWritten) {
  // The last moment of a month and the first of the next one.
  const auto day = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(started));
  const base::WallTime month =
      std::chrono::sys_days((day.year() / day.month() / 1) + std::chrono::months(3));
  std::vector<stores::Submission> all;
  for (const auto offset : {-1s, 1s}) {
    const auto n = fakes::sample_notification(month + offset);
    drop_partitions(n.created_at());
    all.push_back(fakes::submission(n));
  }
  for (const auto& done : append_at(month, all)) {
    EXPECT_TRUE(done) << (done ? "" : done.error().detail);
  }
  for (const auto& one : all) EXPECT_EQ(count(one.notification), "1");
}

TEST_F(PgLedgerTest, JustAfterMidnightAKeyIsTakenInTheDayThatEndsToo) {
  // Another node, whose clock is a moment behind, is about to commit the same key before midnight.
  const auto midnight = std::chrono::floor<std::chrono::days>(started);
  stores::Submission after = fakes::submission(fakes::sample_notification(midnight + 1ms, 1));
  ASSERT_TRUE(append_at(midnight, {after}).at(0));
  EXPECT_EQ(postgres().sql("SELECT count(*) FROM idempotency_keys WHERE notification_id = '" +
                           after.notification.id.to_string() + "'"),
            "2");
  stores::Submission before = fakes::submission(fakes::sample_notification(midnight - 1ms, 2));
  before.idempotency = after.idempotency;
  const auto repeated = append_at(midnight, {before});
  ASSERT_TRUE(repeated.at(0)) << repeated[0].error().detail;
  EXPECT_EQ(repeated[0]->id, after.notification.id);
  EXPECT_EQ(count(before.notification), "0");
}

TEST_F(PgLedgerTest, AnOutcomeMakesAPartitionThatIsMissing) {
  const rules::Notification n = fakes::sample_notification(started + 24h * 62);
  drop_partitions(n.created_at());
  ASSERT_TRUE(append_at(n.created_at(), {fakes::submission(n)}).at(0));
  postgres().sql(
      "DO $$ BEGIN EXECUTE (SELECT 'DROP TABLE ' || partition FROM partition_ranges "
      "WHERE parent = 'delivery_attempts' ORDER BY lower_at DESC LIMIT 1); END $$");
  stores::DeliveryRecord record;
  record.notification = n.id;
  record.at = n.created_at();
  record.status = rules::Status::delivered;
  rules::Attempt attempt;
  attempt.device = fakes::sample_device().id;
  attempt.id = rules::attempt_id(n.id, attempt.device, 0);
  attempt.status = rules::AttemptStatus::delivered;
  attempt.attempted_at = n.created_at();
  record.attempts = {attempt};
  const auto written = world.run(world.ledger().record(record));
  ASSERT_TRUE(written) << written.error().detail;
  EXPECT_EQ(postgres().sql("SELECT count(*) FROM delivery_attempts WHERE notification_id = '" +
                           n.id.to_string() + "'"),
            "1");
}

TEST_F(PgLedgerTest, ABadRowFailsItsCallerAndNobodyElse) {
  std::vector<async::Task<base::Expected<void>>> tasks;
  for (std::uint8_t i = 0; i < 20; ++i) {
    rules::Notification n = sample(i);
    if (i == 7) n.type = std::string(51, 't');  // the column holds 50
    tasks.push_back(fakes::append_one(world.ledger(), n));
  }
  const auto results = world.run_all(std::move(tasks));
  for (std::uint8_t i = 0; i < 20; ++i) {
    EXPECT_EQ(results[i].has_value(), i != 7) << int{i};
    EXPECT_EQ(count(sample(i)), i == 7 ? "0" : "1");
  }
  EXPECT_EQ(results[7].error().code, Errc::invalid);
}

TEST_F(PgLedgerTest, ABadOutcomeFailsItsCallerAndNobodyElse) {
  std::vector<async::Task<base::Expected<void>>> tasks;
  for (std::uint8_t i = 0; i < 6; ++i) ASSERT_TRUE(append(sample(i)));
  for (std::uint8_t i = 0; i < 6; ++i) {
    stores::DeliveryRecord record;
    record.notification = sample(i).id;
    record.at = started;
    record.status = rules::Status::failed;
    rules::Attempt attempt;
    attempt.device = fakes::sample_device().id;
    attempt.id = rules::attempt_id(record.notification, attempt.device, 0);
    attempt.status = rules::AttemptStatus::failed;
    attempt.attempted_at = started;
    record.attempts = {attempt};
    // A reason that the table's CHECK does not know.
    if (i == 3) record.due = stores::Due{started, static_cast<stores::DueReason>(99), ""};
    tasks.push_back(world.ledger().record(record));
  }
  const auto results = world.run_all(std::move(tasks));
  for (std::uint8_t i = 0; i < 6; ++i) EXPECT_EQ(results[i].has_value(), i != 3) << int{i};
}

TEST_F(PgLedgerTest, WhatAPeerWroteIntoAnOutcomeIsMadeFitForItsColumn) {
  ASSERT_TRUE(append(sample()));
  stores::DeliveryRecord record;
  record.notification = sample().id;
  record.at = started;
  rules::Attempt attempt;
  attempt.device = fakes::sample_device().id;
  attempt.id = rules::attempt_id(record.notification, attempt.device, 0);
  attempt.status = rules::AttemptStatus::failed;
  attempt.attempted_at = started;
  attempt.error_code = std::string(51, 'x');
  attempt.error_message = std::string("a\0b\xFF", 4);
  record.attempts = {attempt};
  ASSERT_TRUE(world.run(world.ledger().record(record)));
  const auto story = world.run(world.history().find(record.notification, world.soon()));
  ASSERT_TRUE(story);
  EXPECT_EQ(story->attempts.at(0).error_code, std::string(50, 'x'));
  EXPECT_EQ(story->attempts.at(0).error_message, "a?b?");
}

TEST_F(PgLedgerTest, WhatTheBacklogGivesBackIsByteForByteWhatWasQueued) {
  rules::Notification n = sample();
  n.conversation = base::ConversationId(fakes::uuid("c0c0c0c0-0000-4000-8000-000000000001"));
  n.title = "Ünïcödé \U0001F514 \"quoted\"";
  n.body = "a\nb\t\\";
  n.presentation.data = {{"z", "1"}, {"aa", "\U0001F600"}, {"b", ""}};
  n.presentation.badge = 0;
  n.presentation.background = true;
  n.labels = {{"campaign", "spring"}, {"a", "1"}};
  ASSERT_TRUE(append(n));
  const auto items =
      world.run(world.backlog().pending({{started - 1h, {}}, started, 10}, world.soon()));
  ASSERT_EQ(items.value().items.size(), 1u);
  EXPECT_EQ(rules::encode_queue_item(items.value().items[0].notification),
            rules::encode_queue_item(n));
}

TEST_F(PgLedgerTest, AServerThatIsAwayIsReportedInTimeAndUsedAgainWhenItIsBack) {
  ASSERT_TRUE(append(sample(1)));
  postgres().stop();
  const base::SteadyTime asked = world.timers().clock().steady_now();
  const auto refused = append(sample(2));
  const auto progress =
      world.run(world.ledger().progress({sample(1).id}, world.timers().after(1s)));
  const auto took = world.timers().clock().steady_now() - asked;
  postgres().start();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().code == Errc::unavailable || refused.error().code == Errc::timed_out)
      << base::name(refused.error().code);
  EXPECT_FALSE(progress);
  EXPECT_LT(took, 12s);
  EXPECT_EQ(count(sample(2)), "0");
  world.wait_for_connection();
  const rules::Notification later = fakes::sample_notification(world.now(), 3);
  const auto again = append(later);
  EXPECT_TRUE(again) << (again ? "" : again.error().detail);
  EXPECT_EQ(count(later), "1");
}

TEST_F(PgLedgerTest, WhenConnectionsAreLostAnOkIsStillAPromiseAndUnavailableStillANo) {
  ASSERT_TRUE(append(sample(1)));
  std::vector<async::Task<base::Expected<void>>> tasks;
  for (std::uint8_t i = 2; i < 30; ++i)
    tasks.push_back(fakes::append_one(world.ledger(), sample(i)));
  postgres().kill_backends();
  const auto results = world.run_all(std::move(tasks));
  for (std::uint8_t i = 2; i < 30; ++i) {
    const auto& result = results[i - 2];
    if (result) {
      EXPECT_EQ(count(sample(i)), "1");
    } else if (result.error().code != Errc::timed_out) {
      EXPECT_EQ(count(sample(i)), "0") << base::name(result.error().code);
    }
  }
  world.wait_for_connection();
  EXPECT_TRUE(append(fakes::sample_notification(world.now(), 40)));
}

/// A ledger that is impatient, and a server whose commits wait for a standby that is not there.
struct PgStandbyTest : PgLedgerTest {
  stores::PgLedger ledger{
      world.pool(),
      world.pool(),
      world.timers(),
      {.append = {.write_timeout = 1500ms, .look_up_timeout = 1000ms}, .write_timeout = 1500ms},
      [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; }};
  using Appended = std::optional<std::vector<base::Expected<stores::Appended>>>;

  static void set_standby(const std::string& setting) {
    postgres().sql("ALTER SYSTEM " + setting);
    postgres().sql("SELECT pg_reload_conf()");
  }
  void SetUp() override { set_standby("SET synchronous_standby_names = 'nobody'"); }
  void TearDown() override {
    set_standby("RESET synchronous_standby_names");
    world.run_stop(ledger.stop());
  }
  static std::string of_waiting(const std::string& what) {
    return postgres().sql("SELECT count(" + what +
                          ") FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  }
  /// Appends until a commit waits: the setting takes effect some time after it was made. Each
  /// one that does not wait uses up an id. Returns the one that waits.
  rules::Notification append_and_wait(async::TaskGroup& group, Appended& appended) {
    for (std::uint8_t i = 1; i < 200; ++i) {
      appended.reset();
      const auto n = fakes::sample_notification(world.now(), i);
      group.spawn(async::store_result(ledger.append({fakes::submission(n)}, {}), appended));
      world.drive([&appended] { return appended || of_waiting("*") != "0"; });
      if (!appended) return n;
    }
    throw std::runtime_error("no commit waits for the standby");
  }
  /// The same request, made anew.
  base::Expected<stores::Appended> repeat(const rules::Notification& first) {
    stores::Submission again = fakes::submission(fakes::sample_notification(world.now(), 222));
    again.idempotency = fakes::submission(first).idempotency;
    return world.run(ledger.append({again}, {})).at(0);
  }
  void give_up_waiting_by(const std::string& function) {
    async::TaskGroup group(world.timers().executor(),
                           [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; });
    Appended appended;
    const rules::Notification n = append_and_wait(group, appended);
    of_waiting(function + "(pid)");
    world.drive([&group] { return group.size() == 0; });
    ASSERT_FALSE(appended->at(0)) << "no standby has it";
    EXPECT_EQ(appended->at(0).error().code, Errc::timed_out) << appended->at(0).error().detail;
    EXPECT_EQ(count(n), "1") << "it stands on this server";
    world.wait_for_connection();
    const auto too_early = repeat(n);
    ASSERT_FALSE(too_early) << "a repeat does not know more";
    EXPECT_EQ(too_early.error().code, Errc::timed_out) << too_early.error().detail;
    set_standby("RESET synchronous_standby_names");
    world.drive([] { return of_waiting("*") == "0"; });
    world.wait_for_connection();
    const auto told = repeat(n);
    ASSERT_TRUE(told) << told.error().detail;
    EXPECT_EQ(told->id, n.id);
    EXPECT_TRUE(told->is_repeat);
    EXPECT_EQ(count(n), "1");
  }
};

TEST_F(PgStandbyTest, ACommitThatIsCancelledWhileItWaitsForAStandbyIsNoOkNorAreItsRepeats) {
  give_up_waiting_by("pg_cancel_backend");
}

TEST_F(PgStandbyTest, ACommitThatIsTerminatedWhileItWaitsForAStandbyIsNoOkNorAreItsRepeats) {
  give_up_waiting_by("pg_terminate_backend");
}

TEST_F(PgLedgerTest, AWriterThatHidesWhenItBeganIsNamedAndNotGuessed) {
  const auto horizon = [this] { return world.run(world.backlog().horizon(world.soon())); };
  ASSERT_TRUE(horizon());
  postgres().sql("ALTER ROLE postgres SET track_activities = off");
  const auto writer = std::async(std::launch::async, [] {
    return postgres().sql("BEGIN; SELECT pg_current_xact_id(); SELECT pg_sleep(3)");
  });
  std::optional<base::Error> told;
  world.drive([&] {
    const auto asked = horizon();
    if (!asked) told = asked.error();
    return told.has_value();
  });
  postgres().sql("ALTER ROLE postgres RESET track_activities");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code, Errc::permission_denied);
  EXPECT_NE(told->detail.find("track_activities"), std::string::npos) << told->detail;
}

TEST_F(PgLedgerTest, AnAppendHasItsTransactionNumberBeforeItReadsTheClock) {
  // The clock of this test asks for the number and finds it, or ends the statement.
  postgres().sql(
      "CREATE OR REPLACE FUNCTION test_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
      "'SELECT pg_catalog.clock_timestamp() + by + (1 / (pg_current_xact_id_if_assigned() IS NOT "
      "NULL)::integer - 1) * interval ''1 s'' FROM test_clock.ahead'");
  const auto done = append(fakes::sample_notification(world.now(), 1));
  EXPECT_TRUE(done) << (done ? "" : done.error().detail);
  postgres().sql(
      "CREATE OR REPLACE FUNCTION test_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
      "'SELECT pg_catalog.clock_timestamp() + by FROM test_clock.ahead'");
}

/// In a month that has just begun, of which the planner knows nothing.
TEST_F(PgLedgerTest, APageOfTheBacklogReadsItsOwnRowsOnly) {
  const std::string from = base::to_sql_timestamp(started - 60s);
  postgres().sql(
      "INSERT INTO notification_history (id, user_id, notification_type, title, body, created_at) "
      "SELECT gen_random_uuid(), gen_random_uuid(), 'message', 't', 'b', timestamp '" +
      from + "' + n * interval '1 ms' FROM generate_series(1, 50000) n");
  const auto rows_read = [this] {
    // On the pool's own connection: a server process tells its counts when it likes.
    constexpr pg::Statement kFlush{"flush_statistics", "SELECT pg_stat_force_next_flush()"};
    EXPECT_TRUE(world.run(world.pool().query({kFlush, {}}, world.soon())));
    return std::stol(postgres().sql(
        "SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) FROM pg_stat_user_tables "
        "WHERE relname LIKE 'notification_history_%'"));
  };
  const long before = rows_read();
  const auto page =
      world.run(world.backlog().pending({{started - 60s, {}}, started, 100}, world.soon()));
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_EQ(page->items.size(), 100U);
  const long read = rows_read() - before;
  EXPECT_GE(read, 100);
  EXPECT_LE(read, 200);
}

TEST_F(PgLedgerTest, PartitionsThatAreMissingAreMadeAhead) {
  const std::string day_after_tomorrow =
      "'idempotency_keys_' || to_char(now() AT TIME ZONE 'UTC' + interval '2 days', 'YYYY_MM_DD')";
  postgres().sql("DO $$BEGIN EXECUTE format('DROP TABLE IF EXISTS %I', " + day_after_tomorrow +
                 "); END$$");
  const auto token = world.run(world.upkeep().take_office("test", world.soon()));
  ASSERT_TRUE(token);
  EXPECT_GE(world.run(world.upkeep().make_partitions(*token, world.soon())).value(), 1u);
  EXPECT_EQ(world.run(world.upkeep().make_partitions(*token, world.soon())).value(), 0u);
  EXPECT_EQ(postgres().sql("SELECT count(*) FROM pg_class WHERE relname = " + day_after_tomorrow),
            "1");
}

}  // namespace
}  // namespace notify::contract
