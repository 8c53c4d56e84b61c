// Retention on a real PostgreSQL: what is too old goes, and only by the hand of who is elected.

#include "contract/stores/real_worlds.hpp"

namespace notify::contract {
namespace {

using base::Errc;
using Names = std::vector<std::string>;

/// The name of the partition of `table` that held this instant.
std::string partition_of(const std::string& table, const std::string& instant) {
  return postgres().sql("SELECT partition FROM partition_ranges WHERE parent = '" + table +
                        "' AND lower_at <= " + instant + " AND upper_at > " + instant);
}

/// The system's, but for the wall clock.
class WrongClock final : public base::Clock {
 public:
  [[nodiscard]] base::WallTime now() const override {
    return clock_.now() - std::chrono::minutes(2);
  }
  [[nodiscard]] base::SteadyTime steady_now() const override { return clock_.steady_now(); }

 private:
  base::SystemClock clock_;
};

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    postgres().sql("UPDATE maintainer SET retention_clock = NULL");
    retired();
    world.dropped.clear();
  }

  stores::Upkeep& upkeep() { return world.upkeep(); }
  stores::FencingToken office() {
    return world.run(upkeep().take_office("test", world.soon())).value();
  }
  base::Expected<std::size_t> retire() {
    return world.run(upkeep().retire(office(), world.soon()));
  }
  /// How many went; -1 if it failed, which is a failure of the test.
  std::int64_t retired() {
    const auto gone = retire();
    EXPECT_TRUE(gone) << gone.error().detail;
    return gone ? static_cast<std::int64_t>(*gone) : -1;
  }
  /// Makes the partitions of all tables for this instant, and returns the name of one.
  static std::string make(const std::string& table, const std::string& instant) {
    postgres().sql("SELECT ensure_partitions_for((" + instant + ")::timestamp)");
    return partition_of(table, instant);
  }
  static bool exists(const std::string& table) {
    return postgres().sql("SELECT to_regclass('" + table + "') IS NOT NULL") == "t";
  }

  RealLedgerWorld world;
};

constexpr auto kTwoYearsAgo = "(now() AT TIME ZONE 'UTC' - interval '730 days')";
constexpr auto kMonthsAgo = "(now() AT TIME ZONE 'UTC' - interval '200 days')";

TEST_F(RetentionTest, EachKindIsKeptForItsTimeAndNoLonger) {
  const std::string keys = make("idempotency_keys", kMonthsAgo);
  const std::string history = partition_of("notification_history", kMonthsAgo);
  const std::string audit = partition_of("audit_log", kMonthsAgo);
  const std::string attempts = partition_of("delivery_attempts", kMonthsAgo);
  const std::string interactions = partition_of("notification_interactions", kMonthsAgo);
  const std::string present = partition_of("notification_history", "now() AT TIME ZONE 'UTC'");
  EXPECT_EQ(retired(), 4);
  EXPECT_EQ(world.dropped, (Names{keys, attempts, interactions, history}));
  EXPECT_FALSE(exists(history));
  EXPECT_TRUE(exists(audit)) << "a year is not over";
  EXPECT_TRUE(exists(present));
  EXPECT_EQ(retired(), 0);

  make("audit_log", kTwoYearsAgo);
  EXPECT_EQ(retired(), 5);
  EXPECT_EQ(
      postgres().sql("SELECT count(*) FROM partition_ranges WHERE parent = 'idempotency_keys' "
                     "AND upper_at < now() - interval '3 days'"),
      "0");
  EXPECT_TRUE(exists(audit));
}

TEST_F(RetentionTest, OnlyWhoIsElectedDeletes) {
  const std::string history = make("notification_history", kTwoYearsAgo);
  const stores::FencingToken old = office();
  office();
  const auto refused = world.run(upkeep().retire(old, world.soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_EQ(world.dropped, Names{});
  EXPECT_TRUE(exists(history));
}

TEST_F(RetentionTest, WhatBrokeOffIsFinished) {
  const std::string history = make("notification_history", kTwoYearsAgo);
  // Detached by a run that died before the drop, and half detached by one that died while it
  // waited.
  postgres().sql(
      "SELECT retention_next('notification_history', now() AT TIME ZONE 'UTC', "
      "interval '90 days'); ALTER TABLE notification_history DETACH PARTITION " +
      history);
  const std::string audit = partition_of("audit_log", kTwoYearsAgo);
  postgres().sql(
      "SELECT retention_next('audit_log', now() AT TIME ZONE 'UTC', interval '365 days');"
      "UPDATE pg_inherits SET inhdetachpending = TRUE WHERE inhrelid = '" +
      audit + "'::regclass");
  ASSERT_TRUE(retire());
  EXPECT_FALSE(exists(history));
  EXPECT_FALSE(exists(audit));
}

TEST_F(RetentionTest, ATableThatAPersonHasDetachedStays) {
  const std::string history = make("notification_history", kTwoYearsAgo);
  postgres().sql("ALTER TABLE notification_history DETACH PARTITION " + history);
  ASSERT_TRUE(retire());
  EXPECT_TRUE(exists(history));
  postgres().sql("DROP TABLE " + history);
}

TEST_F(RetentionTest, TheTroubleOfOneTableStopsNoOther) {
  const std::string attempts = make("delivery_attempts", kTwoYearsAgo);
  const std::string history = partition_of("notification_history", kTwoYearsAgo);
  // Something of an operator's that depends on a partition.
  postgres().sql("CREATE VIEW in_the_way AS SELECT id FROM " + attempts);
  const auto result = retire();
  ASSERT_FALSE(result);
  EXPECT_FALSE(exists(history));
  EXPECT_TRUE(exists(attempts));
  postgres().sql("DROP VIEW in_the_way");
  EXPECT_TRUE(retire());
  EXPECT_FALSE(exists(attempts));
}

TEST_F(RetentionTest, RowsWithoutPartitionsGoInBatches) {
  postgres().sql(
      "INSERT INTO replays SELECT uuid_generate_v7(now() - interval '100 days'), "
      "now() - interval '95 days', gen_random_uuid() FROM generate_series(1, 2500)");
  postgres().sql(
      "INSERT INTO replays SELECT uuid_generate_v7(now() - interval '100 days'), "
      "now() - interval '80 days', gen_random_uuid() FROM generate_series(1, 7)");
  postgres().sql(
      "INSERT INTO due (notification_id, due_at, reason) SELECT "
      "uuid_generate_v7(now() - interval '1000 days'), now(), 'retry' "
      "FROM generate_series(1, 3)");
  postgres().sql(
      "INSERT INTO due (notification_id, due_at, reason) VALUES "
      "(uuid_generate_v7(), now(), 'retry')");
  EXPECT_EQ(retired(), 2503);
  EXPECT_EQ(postgres().sql("SELECT count(*) FROM replays"), "7");
  EXPECT_EQ(postgres().sql("SELECT count(*) FROM due"), "1");
}

TEST_F(RetentionTest, AClockThatLeapsDeletesNothingYoung) {
  const std::string history = make("notification_history", kMonthsAgo);
  // As if the last run had been before all of them, and the clock had leapt since.
  postgres().sql("UPDATE maintainer SET retention_clock = now() - interval '300 days'");
  const auto result = retire();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().detail.ends_with("a day a run")) << result.error().detail;
  EXPECT_TRUE(exists(history));

  postgres().sql("UPDATE maintainer SET retention_clock = NULL");
  WrongClock wrong;
  async::Timers timers(world.timers().executor(), wrong);
  stores::PgUpkeep apart(world.pool(), timers, {});
  const auto refused = world.run(apart.retire(office(), world.soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_NE(refused.error().detail.find("120 s apart"), std::string::npos)
      << refused.error().detail;
  EXPECT_TRUE(exists(history));
}

}  // namespace
}  // namespace notify::contract
