#pragma once
// The world of real servers: one PostgreSQL with the schema and one Redis for the whole program,
// emptied for each test.

#include <boost/asio/io_context.hpp>

#include "base/rng.hpp"
#include "contract/stores/worlds.hpp"
#include "fakes/private_servers.hpp"
#include "storage/pg/pool.hpp"
#include "storage/redis/client.hpp"
#include "stores/pg_audit.hpp"
#include "stores/pg_backlog.hpp"
#include "stores/pg_dead_letters.hpp"
#include "stores/pg_history.hpp"
#include "stores/pg_ledger.hpp"
#include "stores/pg_settings.hpp"
#include "stores/pg_templates.hpp"
#include "stores/pg_upkeep.hpp"
#include "stores/redis_leases.hpp"
#include "stores/redis_limiter.hpp"
#include "stores/redis_queue.hpp"
#include "stores/redis_settings.hpp"

namespace notify::contract {

[[nodiscard]] fakes::PrivatePostgres& postgres();  ///< migrated
[[nodiscard]] fakes::PrivateRedis& redis_server();

class RealWorld : public virtual World {
 public:
  async::Timers& timers() override { return timers_; }
  void drive(const std::function<bool()>& done) override;
  void pass(std::chrono::milliseconds time) override;

 protected:
  void run_stop(async::Task<void> task);
  [[nodiscard]] async::OnEscape no_escape();

  boost::asio::io_context io_{1};
  base::SystemClock clock_;
  async::Timers timers_{io_.get_executor(), clock_};
  base::SeededRng rng_{7};
};

class RealLedgerWorld final : public RealWorld, public LedgerWorld {
 public:
  RealLedgerWorld();
  ~RealLedgerWorld() override;
  stores::Ledger& ledger() override { return ledger_; }
  stores::History& history() override { return history_; }
  stores::Backlog& backlog() override { return backlog_; }
  stores::Upkeep& upkeep() override { return upkeep_; }
  stores::DeadLetters& dead_letters() override { return dead_letters_; }
  stores::SettingsSource& settings() override { return settings_; }
  stores::SettingsRows& settings_rows() override { return settings_; }
  stores::Templates& templates() override { return templates_; }
  std::vector<std::string> audited() override;
  stores::Audit& audit() { return audit_; }
  pg::Pool& pool() { return pool_; }
  using RealWorld::run_stop;
  void set_clock_ahead(std::chrono::milliseconds ahead) override;
  void set_commit_takes(std::chrono::milliseconds time) override;
  void spoil(base::NotificationId id) override;
  void lose_history(base::NotificationId id) override;
  std::size_t statements() override {
    return intake_.counters().queries + pool_.counters().queries;
  }
  std::vector<std::string> dropped;  ///< partitions, by retention
  /// A ledger without a connection refuses at once: waits until there is one.
  void wait_for_connection() {
    drive([this] { return pool_.connected() > 0 && intake_.connected() > 0; });
  }

 private:
  pg::Pool intake_;
  pg::Pool pool_;
  stores::PgLedger ledger_;
  stores::PgHistory history_;
  stores::PgBacklog backlog_;
  stores::PgUpkeep upkeep_;
  stores::PgDeadLetters dead_letters_;
  stores::PgSettings settings_;
  stores::PgTemplates templates_;
  stores::PgAudit audit_;
};

class RealQueueWorld final : public RealWorld, public QueueWorld {
 public:
  explicit RealQueueWorld(std::uint16_t shards = 1);
  ~RealQueueWorld() override;
  Node first() override { return {first_->queue, first_->leases, first_->leases}; }
  Node second() override { return {second_->queue, second_->leases, second_->leases}; }
  stores::SettingsSharing& sharing() override { return *sharing_; }
  std::uint16_t shards() override { return shards_; }
  void empty() override;
  void age_epoch() override;
  void replace_server() override;
  void fail_back() override;
  [[nodiscard]] stores::RedisQueue& first_queue() { return first_->queue; }
  std::vector<std::string> unreadable;

 private:
  struct OneNode {
    OneNode(RealQueueWorld& world, const std::string& name, std::uint16_t shards);
    stores::QueueBooks books;
    stores::RedisLeases leases;
    stores::RedisQueue queue;
  };
  std::uint16_t shards_;
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<OneNode> first_;
  std::unique_ptr<OneNode> second_;
  std::unique_ptr<stores::RedisSettings> sharing_;
};

/// Each node has its own connection.
class RealLimiterWorld final : public RealWorld, public LimiterWorld {
 public:
  RealLimiterWorld();
  ~RealLimiterWorld() override;
  stores::Limiter& first() override { return first_->limiter; }
  stores::Limiter& second() override { return second_->limiter; }
  [[nodiscard]] bool is_connected() const { return first_->client->connected() > 0; }

 private:
  struct OneNode {
    explicit OneNode(RealLimiterWorld& world);
    std::unique_ptr<redis::Client> client;
    stores::RedisLimiter limiter;
  };
  std::unique_ptr<redis::Client> connect();
  std::unique_ptr<OneNode> first_;
  std::unique_ptr<OneNode> second_;
};

}  // namespace notify::contract
