// What only PostgreSQL can show of dead letters and the audit: plans, and a record that races.

#include <future>

#include "base/text.hpp"
#include "contract/stores/real_worlds.hpp"

namespace notify::contract {
namespace {

struct PgDeadLettersTest : testing::Test {
  RealLedgerWorld world;
  base::WallTime started = world.now();

  stores::DeadLetterPage find(const stores::DeadLetterFilter& filter) {
    const auto page = world.run(world.dead_letters().find(filter, {}, world.soon()));
    EXPECT_TRUE(page) << (page ? "" : page.error().detail);
    return page ? *page : stores::DeadLetterPage{};
  }
};

TEST_F(PgDeadLettersTest, WhatTheProgramBeforeWroteIsApnss) {
  const rules::Notification n = fakes::sample_notification(started - 1s);
  ASSERT_TRUE(world.run(fakes::append_one(world.ledger(), n)));
  const std::string id = n.id.to_string();
  postgres().sql("UPDATE notification_history SET status = 'failed', expires_at = NULL");
  postgres().sql(
      "INSERT INTO delivery_attempts (id, notification_id, device_id, status, error_code) SELECT "
      "uuid_generate_v7(uuid_v7_instant('" +
      id + "')), '" + id + "', gen_random_uuid(), 'failed', '400 BadTopic'");
  const auto page =
      find({.from = started - 1h, .until = started, .provider = "apns", .user = n.user});
  ASSERT_EQ(page.letters.size(), 1u);
  EXPECT_EQ(page.letters[0].provider, "apns");
  EXPECT_EQ(page.letters[0].expires_at, n.created_at() + 24h);  // without one of its own
}

TEST_F(PgDeadLettersTest, AReplayWaitsForAnOutcomeThatIsBeingRecorded) {
  const rules::Notification n = fakes::sample_notification(started - 1s);
  ASSERT_TRUE(world.run(fakes::append_one(world.ledger(), n)));
  postgres().sql("UPDATE notification_history SET status = 'failed'");
  // Another session holds the row; once somebody waits for it, the acceptance is committed.
  const auto recording = std::async(std::launch::async, [] {
    return postgres().sql(
        "BEGIN; UPDATE notification_history SET status = 'delivered'; DO $$ BEGIN FOR i IN 1..500 "
        "LOOP PERFORM pg_sleep(0.01); EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); "
        "END LOOP; END $$; COMMIT");
  });
  while (postgres().sql("SELECT count(*) FROM pg_locks WHERE relation = "
                        "'notification_history'::regclass AND mode = 'RowExclusiveLock'") == "0") {
  }
  const auto counts = world.run(world.dead_letters().replay(
      {.items = {{n.id, started}}, .replayed_at = started}, world.soon()));
  ASSERT_TRUE(counts) << counts.error().detail;
  EXPECT_EQ(*counts, (stores::ReplayCounts{.changed = 1}));
}

TEST_F(PgDeadLettersTest, AnEntryOfTheAuditStandsAsItWasWrittenAndOnce) {
  const stores::AuditEntry entry{base::uuid_v7_from(started, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1}),
                                 "dora",
                                 "replay.started",
                                 "replay",
                                 "01",
                                 R"({"rate": 200})"};
  for (int i = 0; i < 2; ++i) {
    const auto done = world.run(world.audit().append(entry, world.soon()));
    ASSERT_TRUE(done) << done.error().detail;
  }
  EXPECT_EQ(postgres().sql("SELECT to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS'), actor, action, "
                           "subject_type, subject_id, detail->'rate' "
                           "FROM audit_log"),
            base::to_sql_timestamp(started) + "|dora|replay.started|replay|01|200");
}

}  // namespace
}  // namespace notify::contract
