#include "contract/stores/real_worlds.hpp"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace notify::contract {
namespace {

std::unique_ptr<fakes::PrivatePostgres> the_postgres;
std::unique_ptr<fakes::PrivateRedis> the_redis;

class Servers final : public ::testing::Environment {
 public:
  void TearDown() override {
    the_postgres.reset();
    the_redis.reset();
  }
};
[[maybe_unused]] const ::testing::Environment* const kServers =
    ::testing::AddGlobalTestEnvironment(new Servers);

void deploy(const fakes::PrivatePostgres& server) {
  const std::string target = "db:pg://postgres@/postgres?host=" + server.socket_directory() +
                             "&port=" + std::to_string(server.port());
  const std::string log = server.socket_directory() + "/sqitch.log";
  const std::string command =
      "SQITCH_USER_CONFIG=/dev/null SQITCH_FULLNAME=test SQITCH_EMAIL=test@localhost "
      "sqitch --chdir " NOTIFY_DB_DIRECTORY " deploy --no-verify --target '" +
      target + "' > " + log + " 2>&1";
  if (std::system(command.c_str()) != 0) {  // NOLINT(cert-env33-c): a test's own command
    throw std::runtime_error("sqitch failed: see " + log);
  }
}

}  // namespace

fakes::PrivatePostgres& postgres() {
  if (!the_postgres) {
    the_postgres = std::make_unique<fakes::PrivatePostgres>();
    deploy(*the_postgres);
    // A clock that can be set: its schema comes before pg_catalog, where the real one is.
    the_postgres->sql(
        "CREATE SCHEMA test_clock; CREATE TABLE test_clock.ahead (by interval); "
        "INSERT INTO test_clock.ahead VALUES ('0'); "
        "CREATE FUNCTION test_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
        "'SELECT pg_catalog.clock_timestamp() + by FROM test_clock.ahead'; "
        "CREATE TABLE test_clock.commit_takes (time interval); "
        "CREATE FUNCTION test_clock.take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_sleep_for(time) FROM test_clock.commit_takes; RETURN NULL; END $$; "
        "ALTER DATABASE postgres SET search_path = test_clock, pg_catalog, public");
  }
  return *the_postgres;
}

fakes::PrivateRedis& redis_server() {
  if (!the_redis) the_redis = std::make_unique<fakes::PrivateRedis>();
  return *the_redis;
}

void RealWorld::drive(const std::function<bool()>& done) {
  const base::Deadline limit = timers_.after(60s);
  io_.restart();
  while (!done()) {
    ASSERT_FALSE(limit.passed(clock_.steady_now())) << "nothing came of it in a minute";
    io_.run_one_for(5ms);
    if (io_.stopped()) io_.restart();
  }
}

void RealWorld::pass(std::chrono::milliseconds time) {
  bool passed = false;
  async::Timer timer(timers_, [&passed] { passed = true; });
  timer.arm(timers_.after(time));
  drive([&passed] { return passed; });
}

void RealWorld::run_stop(async::Task<void> task) {
  async::TaskGroup group(timers_.executor(), no_escape());
  group.spawn(std::move(task));
  drive([&group] { return group.size() == 0; });
}

async::OnEscape RealWorld::no_escape() {
  return [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; };
}

RealLedgerWorld::RealLedgerWorld()
    : intake_(timers_, rng_, base::Secret(postgres().url()), {.plans = pg::Plans::generic},
              no_escape()),
      pool_(timers_, rng_, base::Secret(postgres().url()), {}, no_escape()),
      ledger_(intake_, pool_, timers_, {}, no_escape()),
      history_({.urgent = pool_, .heavy = pool_}, clock_, std::chrono::days(90)),
      backlog_(pool_),
      upkeep_(pool_, timers_,
              {.on_dropped = [this](std::string_view name) { dropped.emplace_back(name); }}),
      dead_letters_(pool_),
      settings_(pool_),
      templates_(pool_),
      audit_(pool_) {
  postgres().sql(
      "TRUNCATE notification_history, idempotency_keys, delivery_attempts, due, replays, "
      "audit_log, user_settings, conversation_settings, notification_templates; "
      "UPDATE test_clock.ahead SET by = '0'; DELETE FROM test_clock.commit_takes; "
      "DROP TRIGGER IF EXISTS take_time ON notification_history");
  intake_.start();
  pool_.start();
  wait_for_connection();
}

RealLedgerWorld::~RealLedgerWorld() {
  run_stop(ledger_.stop());
  run_stop(intake_.stop(timers_.after(2s)));
  run_stop(pool_.stop(timers_.after(2s)));
}

void RealLedgerWorld::set_clock_ahead(std::chrono::milliseconds ahead) {
  postgres().sql("UPDATE test_clock.ahead SET by = " + std::to_string(ahead.count()) +
                 " * interval '1 ms'");
}

void RealLedgerWorld::set_commit_takes(std::chrono::milliseconds time) {
  postgres().sql("INSERT INTO test_clock.commit_takes VALUES (" + std::to_string(time.count()) +
                 " * interval '1 ms'); "
                 "CREATE CONSTRAINT TRIGGER take_time AFTER INSERT ON notification_history "
                 "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
                 "EXECUTE FUNCTION test_clock.take_time()");
}

void RealLedgerWorld::spoil(base::NotificationId id) {
  postgres().sql("UPDATE notification_history SET expires_at = 'infinity' WHERE id = '" +
                 id.to_string() + "'");
}

void RealLedgerWorld::lose_history(base::NotificationId id) {
  postgres().sql("DELETE FROM notification_history WHERE id = '" + id.to_string() + "'");
}

std::vector<std::string> RealLedgerWorld::audited() {
  std::istringstream rows(
      postgres().sql("SELECT concat_ws(' ', actor, action, subject_type, subject_id, "
                     "detail->>'revision') FROM audit_log ORDER BY id"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(rows, line);) lines.push_back(line);
  return lines;
}

RealQueueWorld::RealQueueWorld(std::uint16_t shards) : shards_(shards) {
  redis_server().cli({"FLUSHALL"});
  auto url = redis::parse_url(base::Secret(redis_server().url()));
  auto client = redis::Client::create(timers_, rng_, std::move(url.value()), {}, no_escape());
  client_ = std::move(client.value());
  first_ = std::make_unique<OneNode>(*this, "first", shards);
  second_ = std::make_unique<OneNode>(*this, "second", shards);
  sharing_ = std::make_unique<stores::RedisSettings>(*client_);
  client_->start();
  drive([this] { return client_->connected() > 0; });
}

RealQueueWorld::OneNode::OneNode(RealQueueWorld& world, const std::string& name,
                                 std::uint16_t shards)
    : books(name, shards),
      leases(*world.client_, world.timers_, world.rng_, books),
      queue(*world.client_, world.timers_, books, leases.standing(),
            {.age_bound = 10s,
             .on_unreadable_item =
                 [&world](const base::Error& e) { world.unreadable.push_back(e.detail); }},
            world.no_escape()) {}

void RealQueueWorld::empty() { redis_server().cli({"FLUSHALL"}); }

void RealQueueWorld::age_epoch() {
  const stores::QueueBooks books("", shards_);
  for (const stores::QueueBook& book : books.all()) {
    redis_server().cli({"HINCRBY", book.epoch, "since", "-3600000"});
  }
}

/// The books say that they were begun by another server.
void RealQueueWorld::replace_server() {
  const stores::QueueBooks books("", shards_);
  for (const stores::QueueBook& book : books.all()) {
    redis_server().cli({"HSET", book.epoch, "run", "another"});
  }
}

/// It was demoted and promoted again: that changes its replication id, and nothing else.
void RealQueueWorld::fail_back() {
  redis_server().cli({"REPLICAOF", "127.0.0.1", "1"});
  redis_server().cli({"REPLICAOF", "NO", "ONE"});
}

RealQueueWorld::~RealQueueWorld() {
  run_stop(first_->queue.stop());
  run_stop(second_->queue.stop());
  run_stop(client_->stop(timers_.after(2s)));
}

std::unique_ptr<redis::Client> RealLimiterWorld::connect() {
  auto url = redis::parse_url(base::Secret(redis_server().url()));
  auto client = redis::Client::create(timers_, rng_, std::move(url.value()), {}, no_escape());
  (*client)->start();
  return std::move(client.value());
}

RealLimiterWorld::OneNode::OneNode(RealLimiterWorld& world)
    : client(world.connect()), limiter(*client, world.timers_, {}, world.no_escape()) {}

RealLimiterWorld::RealLimiterWorld() {
  redis_server().cli({"FLUSHALL"});
  first_ = std::make_unique<OneNode>(*this);
  second_ = std::make_unique<OneNode>(*this);
  drive([this] { return first_->client->connected() > 0 && second_->client->connected() > 0; });
}

RealLimiterWorld::~RealLimiterWorld() {
  for (OneNode* node : {first_.get(), second_.get()}) {
    run_stop(node->limiter.stop());
    run_stop(node->client->stop(timers_.after(2s)));
  }
}

namespace {
std::unique_ptr<LedgerWorld> make_ledger_world() { return std::make_unique<RealLedgerWorld>(); }
std::unique_ptr<QueueWorld> make_queue_world() { return std::make_unique<RealQueueWorld>(); }
std::unique_ptr<QueueWorld> make_sharded_world() { return std::make_unique<RealQueueWorld>(3); }
std::unique_ptr<LimiterWorld> make_limiter_world() { return std::make_unique<RealLimiterWorld>(); }
}  // namespace

std::vector<MakeLedgerWorld> ledger_worlds() { return {&make_ledger_world}; }
std::vector<MakeQueueWorld> queue_worlds() { return {&make_queue_world}; }
std::vector<MakeLimiterWorld> limiter_worlds() { return {&make_limiter_world}; }

INSTANTIATE_TEST_SUITE_P(Real, LedgerContract, testing::Values(&make_ledger_world));
INSTANTIATE_TEST_SUITE_P(Real, QueueContract, testing::Values(&make_queue_world));
INSTANTIATE_TEST_SUITE_P(RealSharded, QueueContract, testing::Values(&make_sharded_world));

}  // namespace notify::contract
