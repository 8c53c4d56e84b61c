// The pool when PostgreSQL dies, hangs, restarts, or takes too long.

#include "integration/storage/pg_fixture.hpp"

namespace notify::storage_test {
namespace {

using base::Errc;
using pg::Fault;
using pg::Params;
using pg::Query;
using pg::Statement;

constexpr Statement kOne{"one", "SELECT 1"};
constexpr Statement kSleep{"sleep", "SELECT pg_sleep($1::bigint / 1000.0)"};

class PgFailure : public PgTest {
 protected:
  static std::vector<Query> sleep_for(std::chrono::milliseconds time) {
    std::vector<Query> one;
    one.push_back(Query{kSleep, Params().int64(time.count())});
    return one;
  }
};

TEST_F(PgFailure, AKilledBackendFailsWhatWasInFlightAndIsReplaced) {
  open({.connections = 1});
  std::vector<Outcome> outcomes(3);
  async::TaskGroup callers(timers.executor(), no_escape());
  for (Outcome& outcome : outcomes) callers.spawn(call(*pool, sleep_for(5s), in(20s), outcome));
  run_until([this] { return pool->counters().in_flight == 3; });
  // The backend of an earlier test's pool may still be leaving.
  run_until([] {
    return postgres().sql(
               "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
               "AND application_name <> 'psql'") == "1";
  });
  EXPECT_EQ(postgres().kill_backends(), 1);
  run(callers.join());
  for (const Outcome& outcome : outcomes) {
    ASSERT_FALSE(*outcome);
    EXPECT_TRUE(outcome->error().outcome_unknown);
    EXPECT_EQ(outcome->error().error.code, Errc::unavailable);
    EXPECT_FALSE(outcome->error().is_safe_to_retry());
  }
  EXPECT_EQ(number(kOne), 1);
  EXPECT_EQ(pool->counters().reconnects, 1U);
}

TEST_F(PgFailure, ACommitThatIsCancelledWhileItWaitsForAStandbyHasNoKnownOutcome) {
  constexpr Statement kWrite{"write", "SELECT pg_current_xact_id()"};
  constexpr Statement kEmit{"emit", "SELECT pg_logical_emit_message(true, 'test', '')"};
  constexpr std::string_view kWaiting = " FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  const auto of_waiting = [&](const std::string& what) {
    return postgres().sql("SELECT count(" + what + ")" + std::string(kWaiting));
  };
  open({.connections = 1});
  postgres().sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  postgres().sql("SELECT pg_reload_conf()");
  async::TaskGroup callers(timers.executor(), no_escape());
  Outcome outcome;
  do {  // until the server has read its settings
    outcome.reset();
    std::vector<Query> queries{Query{kWrite, {}}, Query{kEmit, {}}};
    callers.spawn(call(*pool, std::move(queries), in(20s), outcome));
    run_until([&] { return outcome || of_waiting("*") != "0"; });
  } while (outcome);
  of_waiting("pg_cancel_backend(pid)");
  run(callers.join());
  postgres().sql("ALTER SYSTEM RESET synchronous_standby_names");
  postgres().sql("SELECT pg_reload_conf()");
  ASSERT_FALSE(*outcome);
  EXPECT_TRUE(outcome->error().outcome_unknown);
  EXPECT_EQ(outcome->error().error.code, Errc::timed_out);
  EXPECT_FALSE(outcome->error().is_safe_to_retry());
  EXPECT_EQ(pool->counters().reconnects, 0U);
}

TEST_F(PgFailure, AnIdleConnectionThatIsKilledIsReplacedBeforeItIsMissed) {
  open({.connections = 2});
  run_until([this] { return pool->connected() == 2; });
  EXPECT_EQ(postgres().kill_backends(), 2);
  run_until([this] { return pool->counters().connects == 4; });
  EXPECT_EQ(pool->connected(), 2U);
  EXPECT_EQ(number(kOne), 1);
}

TEST_F(PgFailure, CallsWaitForAServerThatIsDownUntilTheirDeadline) {
  open({.connections = 1, .backoff_max = 50ms});
  EXPECT_EQ(number(kOne), 1);
  postgres().stop();
  run_until([this] { return pool->connected() == 0; });
  const auto none = query(kOne, {}, 60ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().fault, Fault::connection);
  EXPECT_FALSE(none.error().outcome_unknown);
  EXPECT_TRUE(none.error().is_safe_to_retry());

  Outcome patient;
  async::TaskGroup callers(timers.executor(), no_escape());
  std::vector<Query> one{Query{kOne, {}}};
  callers.spawn(call(*pool, std::move(one), in(20s), patient));
  run_until([this] { return pool->counters().waiting == 1; });
  postgres().start();
  run(callers.join());
  EXPECT_TRUE(*patient) << patient->error().error.detail;
  EXPECT_GT(pool->counters().connect_failures, 0U);
}

TEST_F(PgFailure, ADeadlineEndsTheCallAndSparesTheConnection) {
  open({.connections = 1});
  EXPECT_EQ(number(kOne), 1);
  const auto slow = run(pool->transaction(sleep_for(300ms), in(40ms)));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().fault, Fault::deadline);
  EXPECT_EQ(slow.error().error.code, Errc::timed_out);
  EXPECT_TRUE(slow.error().outcome_unknown);
  EXPECT_EQ(number(kOne), 1) << "behind the late answer, which is read and dropped";
  EXPECT_EQ(pool->counters().reconnects, 0U);
  EXPECT_EQ(pool->counters().in_flight, 0U);
}

TEST_F(PgFailure, ACallThatWasNeverSentTimesOutWithoutDoubt) {
  open({.connections = 1, .in_flight_max = 1});
  Outcome first;
  Outcome second;
  async::TaskGroup callers(timers.executor(), no_escape());
  callers.spawn(call(*pool, sleep_for(200ms), in(5s), first));
  callers.spawn(call(*pool, sleep_for(0ms), in(50ms), second));
  run(callers.join());
  EXPECT_TRUE(*first);
  ASSERT_FALSE(*second);
  EXPECT_EQ(second->error().fault, Fault::deadline);
  EXPECT_FALSE(second->error().outcome_unknown);
}

TEST_F(PgFailure, AServerThatHangsIsGivenUpAfterTheLimit) {
  open({.connections = 1, .hang_limit = 100ms});
  constexpr Statement kPid{"pid", "SELECT pg_backend_pid()"};
  const int pid = static_cast<int>(number(kPid));
  postgres().freeze(pid);
  const auto hung = query(kOne, {}, 50ms);
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().error.code, Errc::timed_out);
  EXPECT_NE(number(kPid), pid) << "answered by another backend, after a new connect";
  postgres().thaw(pid);
  EXPECT_EQ(pool->counters().reconnects, 1U);
}

TEST_F(PgFailure, TheServersOwnTimeoutLeavesNoDoubt) {
  open({.connections = 1, .statement_timeout = 50ms});
  const auto slow = run(pool->transaction(sleep_for(2s), in(10s)));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().sqlstate, "57014");
  EXPECT_EQ(slow.error().error.code, Errc::timed_out);
  EXPECT_FALSE(slow.error().outcome_unknown);
}

TEST_F(PgFailure, ACancelledCallerLeavesTheConnectionInOrder) {
  open({.connections = 1, .in_flight_max = 1});
  Outcome sent;
  Outcome waiting;
  async::TaskGroup callers(timers.executor(), no_escape());
  callers.spawn(call(*pool, sleep_for(100ms), in(5s), sent));
  callers.spawn(call(*pool, sleep_for(100ms), in(5s), waiting));
  run_until([this] { return pool->counters().in_flight == 1; });
  run(callers.stop());
  EXPECT_FALSE(sent);
  EXPECT_FALSE(waiting);
  EXPECT_EQ(pool->counters().waiting, 0U);
  EXPECT_EQ(number(kOne), 1);
  EXPECT_EQ(pool->counters().reconnects, 0U);
}

TEST_F(PgFailure, StopGivesUpAtItsDeadline) {
  open({.connections = 1});
  Outcome slow;
  async::TaskGroup callers(timers.executor(), no_escape());
  callers.spawn(call(*pool, sleep_for(20s), in(60s), slow));
  run_until([this] { return pool->counters().in_flight == 1; });
  run(pool->stop(in(30ms)));
  run(callers.join());
  ASSERT_FALSE(*slow);
  EXPECT_EQ(slow->error().fault, Fault::stopping);
  EXPECT_TRUE(slow->error().outcome_unknown);
}

TEST_F(PgFailure, AWrongUrlIsReportedWithoutItsPassword) {
  open_at("postgresql://nobody:hunter2@/none?host=" + postgres().socket_directory() +
              "&port=" + std::to_string(postgres().port()),
          {.connections = 1});
  EXPECT_FALSE(query(kOne, {}, 100ms));
  ASSERT_FALSE(events.empty());
  for (const std::string& event : events) {
    EXPECT_EQ(event.find("hunter2"), std::string::npos) << event;
  }
}

}  // namespace
}  // namespace notify::storage_test
