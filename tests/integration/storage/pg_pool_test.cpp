// The pool when all is well, and when statements are wrong.

#include "integration/storage/pg_fixture.hpp"

namespace notify::storage_test {
namespace {

using pg::Fault;
using pg::Params;
using pg::Query;
using pg::Statement;

constexpr Statement kInsert{"items_insert", "INSERT INTO items (id, note) VALUES ($1::bigint, $2)"};
constexpr Statement kCount{"items_count", "SELECT count(*) FROM items"};
constexpr Statement kEcho{"echo", "SELECT $1::bigint"};

class PgPool : public PgTest {
 protected:
  void SetUp() override {
    postgres().sql(
        "DROP TABLE IF EXISTS items; DROP TABLE IF EXISTS parts;"
        "CREATE TABLE items (id bigint PRIMARY KEY, note text CHECK (note <> 'forbidden'));"
        "CREATE TABLE parts (id bigint) PARTITION BY RANGE (id);"
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)");
  }
  static Query insert(std::int64_t id, std::string_view note = "n") {
    return Query{kInsert, Params().int64(id).text(note)};
  }
};

TEST_F(PgPool, AnswersOneStatement) {
  open();
  const auto result = query(kEcho, std::move(Params().int64(42)));
  ASSERT_TRUE(result) << result.error().error.detail;
  EXPECT_EQ(*result->int64(0, 0), 42);
  EXPECT_EQ(result->columns(), 1U);
}

TEST_F(PgPool, AppliesTheSessionsSettings) {
  open();
  constexpr Statement kSettings{
      "settings",
      "SELECT current_setting('TimeZone'), current_setting('plan_cache_mode'), "
      "current_setting('application_name'), current_setting('client_encoding'), "
      "current_setting('statement_timeout'), current_setting('jit')"};
  const auto result = query(kSettings);
  ASSERT_TRUE(result);
  pg::Row row(*result, 0);
  EXPECT_EQ(row.text(0), "UTC");
  EXPECT_EQ(row.text(1), "force_custom_plan");
  EXPECT_EQ(row.text(2), "notification-service");
  EXPECT_EQ(row.text(3), "UTF8");
  EXPECT_EQ(row.text(4), "30s");
  EXPECT_EQ(row.text(5), "off");
}

TEST_F(PgPool, ATransactionIsAllOrNothing) {
  open();
  std::vector<Query> broken{insert(1), insert(2, "forbidden"), insert(3)};
  const auto refused = run(pool->transaction(std::move(broken), in(5s)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::bad_data);
  EXPECT_EQ(refused.error().sqlstate, "23514");
  EXPECT_FALSE(refused.error().outcome_unknown);
  EXPECT_EQ(number(kCount), 0);

  std::vector<Query> sound{insert(1), insert(2), Query{kCount, {}}};
  const auto results = run(pool->transaction(std::move(sound), in(5s)));
  ASSERT_TRUE(results);
  ASSERT_EQ(results->size(), 3U);
  EXPECT_EQ((*results)[0].affected_rows(), 1U);
  EXPECT_EQ(*(*results)[2].int64(0, 0), 2) << "a statement sees what those before it did";
}

TEST_F(PgPool, AThousandCallsShareTwoConnections) {
  open({.connections = 2});
  std::vector<Outcome> outcomes(1000);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::vector<Query> one{Query{kEcho, Params().int64(static_cast<std::int64_t>(i))}};
    callers.spawn(call(*pool, std::move(one), in(20s), outcomes[i]));
  }
  run(callers.join());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_TRUE(*outcomes[i]) << outcomes[i]->error().error.detail;
    ASSERT_EQ(*(**outcomes[i])[0].int64(0, 0), static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(pool->counters().transactions, 1000U);
  EXPECT_EQ(pool->counters().connects, 2U);
  EXPECT_EQ(pool->counters().in_flight, 0U);
}

TEST_F(PgPool, AtOneCallAConnectionNothingStandsBehindASlowOne) {
  open({.connections = 2, .in_flight_max = 1});
  Outcome slow;
  async::TaskGroup callers(timers.executor(), no_escape());
  std::vector<Query> sleep;
  sleep.push_back(Query{{"sleep", "SELECT pg_sleep(60)"}, {}});
  callers.spawn(call(*pool, std::move(sleep), in(60s), slow));
  std::vector<Outcome> outcomes(50);
  async::TaskGroup quick(timers.executor(), no_escape());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    quick.spawn(call(*pool, {insert(static_cast<std::int64_t>(i))}, in(10s), outcomes[i]));
  }
  run(quick.join());
  for (const Outcome& outcome : outcomes) EXPECT_TRUE(*outcome);
  EXPECT_FALSE(slow.has_value());
  run(callers.stop());
}

TEST_F(PgPool, RunsStatementsThatAreMadeAtRunTimeAndOutsideOfTransactions) {
  open({.connections = 1});
  ASSERT_TRUE(run(pool->query(insert(1), in(5s))));
  const auto vacuumed = run(pool->run_made_sql("VACUUM items", in(5s)));
  EXPECT_TRUE(vacuumed) << vacuumed.error().error.detail;
  const auto wrong = run(pool->run_made_sql("VACUUM no_such_table", in(5s)));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().sqlstate, "42P01");
  EXPECT_EQ(number(kCount), 1);
  EXPECT_EQ(pool->counters().reconnects, 0U);
}

TEST_F(PgPool, ABadRowFailsOnlyItsOwnCall) {
  open({.connections = 1});
  std::vector<Outcome> outcomes(20);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::vector<Query> one{insert(static_cast<std::int64_t>(i), i == 7 ? "forbidden" : "n")};
    callers.spawn(call(*pool, std::move(one), in(10s), outcomes[i]));
  }
  run(callers.join());
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i]->has_value(), i != 7) << i;
  EXPECT_EQ(number(kCount), 19);
}

TEST_F(PgPool, NamesTheFaultAndKeepsValuesOutOfIt) {
  open();
  ASSERT_TRUE(run(pool->query(insert(1), in(5s))));
  const auto duplicate = run(pool->query(insert(1), in(5s)));
  ASSERT_FALSE(duplicate);
  EXPECT_EQ(duplicate.error().fault, Fault::duplicate);
  EXPECT_EQ(duplicate.error().constraint, "items_pkey");
  EXPECT_EQ(duplicate.error().table, "items");

  constexpr Statement kPart{"part_insert", "INSERT INTO parts VALUES ($1::bigint)"};
  const auto outside = query(kPart, std::move(Params().int64(11)));
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().fault, Fault::no_partition);

  constexpr Statement kUuid{"cast", "SELECT $1::uuid"};
  const auto malformed = query(kUuid, std::move(Params().text("the-secret-token")));
  ASSERT_FALSE(malformed);
  EXPECT_EQ(malformed.error().fault, Fault::bad_data);
  EXPECT_EQ(malformed.error().error.detail.find("secret"), std::string::npos)
      << malformed.error().error.detail;

  const auto nul = query(kUuid, std::move(Params().text(std::string_view("a\0b", 3))));
  ASSERT_FALSE(nul);
  EXPECT_EQ(nul.error().fault, Fault::bad_data);
}

TEST_F(PgPool, AStatementThatCannotBePreparedTellsWhyToAllWhoUseIt) {
  open({.connections = 1});
  constexpr Statement kWrong{"wrong", "SELECT nothing FROM nowhere"};
  std::vector<Outcome> outcomes(3);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (Outcome& outcome : outcomes) {
    std::vector<Query> one{Query{kWrong, {}}};
    callers.spawn(call(*pool, std::move(one), in(5s), outcome));
  }
  run(callers.join());
  for (const Outcome& outcome : outcomes) {
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().sqlstate, "42P01");
  }
  postgres().sql("CREATE TABLE nowhere (nothing int)");
  EXPECT_TRUE(query(kWrong)) << "it is prepared anew when it is wanted again";
  postgres().sql("DROP TABLE nowhere");
  EXPECT_EQ(pool->counters().reconnects, 0U);
}

TEST_F(PgPool, ASchemaChangeUnderAPreparedStatementIsSafeToRetry) {
  open({.connections = 1});
  constexpr Statement kAll{"items_all", "SELECT * FROM items"};
  ASSERT_TRUE(query(kAll));
  postgres().sql("ALTER TABLE items ADD COLUMN more int");
  const auto stale = query(kAll);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().fault, Fault::stale_statement);
  EXPECT_TRUE(stale.error().is_safe_to_retry());
  const auto fresh = query(kAll);
  ASSERT_TRUE(fresh) << fresh.error().error.detail;
  EXPECT_EQ(fresh->columns(), 3U);
}

TEST_F(PgPool, MegabytesGoThroughInBothDirections) {
  open({.connections = 1});
  constexpr Statement kText{"echo_text", "SELECT $1::text"};
  const std::string large(std::size_t{6} << 20, 'x');
  std::vector<Outcome> outcomes(4);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (Outcome& outcome : outcomes) {
    std::vector<Query> one{Query{kText, Params().text(std::string_view(large))}};
    callers.spawn(call(*pool, std::move(one), in(60s), outcome));
  }
  run(callers.join());
  for (const Outcome& outcome : outcomes) {
    ASSERT_TRUE(*outcome) << outcome->error().error.detail;
    EXPECT_EQ((**outcome)[0].text(0, 0)->size(), large.size());
  }
}

TEST_F(PgPool, RefusesMoreThanItsBoundOfWaitingCalls) {
  open({.connections = 1, .in_flight_max = 1, .waiting_max = 3});
  std::vector<Outcome> outcomes(8);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (Outcome& outcome : outcomes) {
    std::vector<Query> one{Query{kEcho, Params().int64(1)}};
    callers.spawn(call(*pool, std::move(one), in(5s), outcome));
  }
  run(callers.join());
  int overloaded = 0;
  for (const Outcome& outcome : outcomes) {
    if (!*outcome && outcome->error().fault == Fault::bound) ++overloaded;
  }
  EXPECT_EQ(overloaded, 5) << "not yet connected: three wait, the others are refused";
}

TEST_F(PgPool, ConnectsByHostName) {
  open_at(postgres().tcp_url("localhost"), {});
  EXPECT_TRUE(query(kEcho, std::move(Params().int64(1))));
}

TEST_F(PgPool, StopAnswersWhatWasAcceptedAndRefusesTheRest) {
  open({.connections = 1});
  constexpr Statement kNap{"nap", "SELECT pg_sleep(0.1)"};
  std::vector<Outcome> outcomes(2);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (Outcome& outcome : outcomes) {
    std::vector<Query> one{Query{kNap, {}}};
    callers.spawn(call(*pool, std::move(one), in(5s), outcome));
  }
  run_until([this] { return pool->counters().in_flight > 0; });
  run(pool->stop(in(5s)));
  run(callers.join());
  for (const Outcome& outcome : outcomes) EXPECT_TRUE(*outcome);
  const auto late = query(kEcho, std::move(Params().int64(1)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().fault, Fault::stopping);
  EXPECT_EQ(pool->connected(), 0U);
}

}  // namespace
}  // namespace notify::storage_test
