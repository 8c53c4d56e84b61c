#pragma once
// One worker: a thread with a single-threaded io_context, and on it a complete set of everything,
// from the gRPC queue to the provider's connections. Workers share nothing but the two databases,
// so nothing in them needs a lock.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <thread>

#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "base/uuid.hpp"
#include "clients/auth_client.hpp"
#include "clients/device_cache.hpp"
#include "clients/jwks.hpp"
#include "clients/known_users.hpp"
#include "clients/user_client.hpp"
#include "config/config.hpp"
#include "edges/grpc/server.hpp"
#include "edges/http/listener.hpp"
#include "edges/rest/rest_server.hpp"
#include "flows/accept.hpp"
#include "flows/cancel.hpp"
#include "flows/deliver.hpp"
#include "flows/heartbeat.hpp"
#include "flows/limiting.hpp"
#include "flows/preferences.hpp"
#include "flows/recover.hpp"
#include "flows/render.hpp"
#include "flows/replay.hpp"
#include "flows/request_limiting.hpp"
#include "flows/retract.hpp"
#include "flows/template_admin.hpp"
#include "net/grpc/completion_pump.hpp"
#include "providers/router.hpp"
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
#include "stores/settings_cache.hpp"
#include "stores/template_cache.hpp"
#include "telemetry/health.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace notify::app {

/// What all shards of a process use.
struct Process {
  const config::Config& config;
  const base::Clock& clock;
  telemetry::Log log;
  const telemetry::Metrics& metrics;
  telemetry::Health& health;
};

/// Threading: made, started, stopped and destroyed on the main thread; all else runs on its own.
/// Lifetime:  what `process` refers to and `server` outlive it.
class Shard {
 public:
  /// Makes everything, connects to nothing.
  /// Errors: Errc::invalid for a key, a URL or a certificate that cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<Shard>> create(Process process);
  ~Shard();

  /// Makes what takes calls: by gRPC from `server`, by REST from the port of `listener`.
  /// Errors: Errc::invalid for an annotation of a method that cannot be served.
  [[nodiscard]] base::Expected<void> open(edges::Server& server, std::size_t queue_index,
                                          const edges::http::Listener& listener);

  /// After open(): starts the thread, the pools, the flows and the calls.
  void start();

  // The end comes in three steps. Each is taken by all shards before the next one is: else those
  // that still run would begin what the last one has no time left to finish.

  /// Nothing more is leased. Callers' streams end, each with what it still has to answer: else the
  /// server's shutdown would wait for callers to close them. REST accepts nothing more.
  void begin_drain();

  /// After the server has shut down: begins to finish what is under way, to sign off and to close.
  void begin_stop(base::Deadline deadline);

  /// After begin_stop(): waits for its end, and joins. Work that has not ended by the deadline is
  /// abandoned to recovery: then false, and the process has to end.
  [[nodiscard]] bool join();

 private:
  explicit Shard(Process process);
  [[nodiscard]] std::unique_ptr<pg::Pool> make_pg_pool(pg::PoolOptions options);
  void make_pg_pools();
  [[nodiscard]] base::Expected<std::unique_ptr<redis::Client>> make_redis_client(
      const config::Url& where);
  [[nodiscard]] base::Expected<void> make_redis_clients();
  /// For users' settings and rate limits: of a Redis of their own, if there is one.
  [[nodiscard]] redis::Client& redis_for_caches();
  [[nodiscard]] base::Expected<void> wire_storage();
  void wire_queue();
  void wire_deciding();
  void wire_limits();
  [[nodiscard]] base::Expected<void> wire_delivery();
  [[nodiscard]] base::Expected<void> wire_providers();
  void wire_users();
  void wire_flows();
  [[nodiscard]] base::Expected<void> wire_keys();
  [[nodiscard]] base::Expected<void> wire_rest(const edges::http::Listener& listener);
  [[nodiscard]] flows::AcceptEvents accept_events();
  [[nodiscard]] flows::DeliverEvents deliver_events();
  [[nodiscard]] flows::CancelEvents cancel_events();
  [[nodiscard]] flows::RecoverEvents recover_events();
  [[nodiscard]] async::OnEscape on_escape() const;
  [[nodiscard]] std::function<void(std::string_view)> on_event(std::string component) const;
  void step_failed(std::string_view component, std::string_view step, const base::Error& error);

  async::Task<void> shut_down(base::Deadline deadline);
  async::Task<void> watch();
  async::Task<void> look_at_postgres();
  async::Task<void> look_at_schema();
  async::Task<void> look_at_redis();
  async::Task<void> look_at_others();
  async::Task<void> look_at_queue();
  void publish();
  void log_brake(std::string_view provider, bool is_on);
  void log_breaker(std::string_view provider, bool is_open);
  void log_bad_credentials(std::string_view provider, const rules::Outcome& outcome);

  /// What this shard says about what it rests on.
  struct Reporters {
    Reporters(telemetry::Health& health, const config::Config& config);
    telemetry::Health::Reporter postgres;
    telemetry::Health::Reporter clock;
    telemetry::Health::Reporter schema;
    telemetry::Health::Reporter redis;
    telemetry::Health::Reporter auth_service;
    std::optional<telemetry::Health::Reporter> redis_cache;   ///< unset if it is that of the queue
    std::optional<telemetry::Health::Reporter> user_service;  ///< unset if it is not asked
  };

  Process process_;
  Reporters reporters_;
  /// What this shard has published of a pool's counters.
  struct ClientShare {
    struct Snapshot {
      std::uint64_t operations = 0;
      std::uint64_t errors = 0;
      std::uint64_t reconnects = 0;
      std::uint64_t connections = 0;
      std::uint64_t in_flight = 0;
    };
    void add(const telemetry::ClientMetrics& metrics, const Snapshot& now);
    Snapshot before;
  };
  struct Published {
    ClientShare pg_intake;
    ClientShare pg;
    ClientShare pg_background;
    ClientShare redis;
    ClientShare redis_cache;
    std::vector<ClientShare> providers;  ///< in the order of providers_
    std::size_t in_flight = 0;
  } published_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  async::Timers timers_;
  base::SeededRng rng_;
  base::UuidV7Generator ids_;
  bool clock_is_right_ = true;  ///< by the last comparison with the database's (D-5)

  // In the order of use: each refers only to those above it.
  std::unique_ptr<pg::Pool> pg_intake_;
  std::unique_ptr<pg::Pool> pg_;
  std::unique_ptr<pg::Pool> pg_background_;
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<redis::Client> redis_cache_;  // unset if the queue's serves for both
  std::unique_ptr<net::CompletionPump> client_pump_;
  std::unique_ptr<clients::AuthClient> auth_;
  std::unique_ptr<clients::DeviceCache> devices_;
  std::unique_ptr<clients::UserClient> user_service_;  // unset if it is not asked
  std::unique_ptr<clients::KnownUsers> known_users_;   // likewise
  std::vector<std::unique_ptr<providers::Provider>> providers_;
  providers::Router router_;
  std::unique_ptr<stores::PgLedger> ledger_;
  std::unique_ptr<stores::PgHistory> history_;
  std::unique_ptr<stores::PgBacklog> backlog_;
  std::unique_ptr<stores::PgUpkeep> upkeep_;
  std::unique_ptr<stores::QueueBooks> queue_books_;
  std::unique_ptr<stores::RedisLeases> leases_;
  std::unique_ptr<stores::PgDeadLetters> letters_;
  std::unique_ptr<stores::PgAudit> audit_;
  std::unique_ptr<stores::PgTemplates> templates_;
  std::unique_ptr<stores::TemplateCache> template_cache_;
  std::unique_ptr<stores::RedisQueue> queue_;
  std::unique_ptr<stores::PgSettings> settings_;
  std::unique_ptr<stores::RedisSettings> shared_settings_;
  std::unique_ptr<stores::SettingsCache> settings_cache_;
  std::unique_ptr<flows::Deciding> deciding_;
  std::unique_ptr<stores::RedisLimiter> limiter_;
  std::unique_ptr<flows::Limiting> limiting_;
  std::unique_ptr<flows::Bursts> bursts_;
  std::unique_ptr<flows::RequestLimiting> request_limiting_;
  std::unique_ptr<flows::Preferences> preferences_;
  std::unique_ptr<flows::Render> render_;
  std::unique_ptr<flows::Accept> accept_;
  std::unique_ptr<flows::Deliver> deliver_;
  std::unique_ptr<flows::Heartbeat> heartbeat_;
  std::unique_ptr<flows::Recover> recover_;
  std::unique_ptr<flows::Cancel> cancel_;
  std::unique_ptr<flows::Retract> retract_;
  std::unique_ptr<flows::Replay> replay_;
  std::unique_ptr<flows::TemplateAdmin> template_admin_;
  std::unique_ptr<async::TaskGroup> calls_;
  std::unique_ptr<edges::RpcHost> rpc_host_;
  std::unique_ptr<edges::NotificationRpc> rpc_;
  std::unique_ptr<edges::PreferenceRpc> preference_rpc_;
  std::unique_ptr<edges::AdminRpc> admin_rpc_;
  std::unique_ptr<edges::TemplateRpc> template_rpc_;
  std::unique_ptr<edges::HealthRpc> health_rpc_;
  std::unique_ptr<edges::ReflectionRpc> reflection_rpc_;  // unset if it is switched off
  std::unique_ptr<clients::KeySource> key_source_;        // unset if none is configured
  std::unique_ptr<clients::Jwks> jwks_;                   // likewise
  std::unique_ptr<edges::rest::RestApi> rest_api_;
  std::unique_ptr<edges::rest::RestServer> rest_;
  std::unique_ptr<net::CompletionPump> server_pump_;
  std::unique_ptr<async::TaskGroup> watchers_;
  /// The stop that begin_stop() began: until when it may take, and its end.
  struct Stop {
    base::Deadline deadline;
    std::future<void> ended;
  };
  std::optional<Stop> stop_;
  std::thread thread_;
};

}  // namespace notify::app
