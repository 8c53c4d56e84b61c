#include "app/shard.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <fstream>
#include <sstream>

#include "app/wiring.hpp"

namespace notify::app {

using base::Expected;
using base::fail;

Shard::Reporters::Reporters(telemetry::Health& health, const config::Config& config)
    : postgres(health.add("postgres", telemetry::Importance::critical)),
      clock(health.add("clock", telemetry::Importance::critical)),
      schema(health.add("schema", telemetry::Importance::critical)),
      redis(health.add("redis", telemetry::Importance::helpful)),
      auth_service(health.add("auth_service", telemetry::Importance::helpful)) {
  if (!config.redis.cache_url.empty()) {
    redis_cache = health.add("redis_cache", telemetry::Importance::helpful);
  }
  if (!config.user_service.address.empty()) {
    user_service = health.add("user_service", telemetry::Importance::helpful);
  }
}

Shard::Shard(Process process)
    : process_(std::move(process)),
      reporters_(process_.health, process_.config),
      work_(boost::asio::make_work_guard(context_)),
      timers_(context_.get_executor(), process_.clock),
      rng_(base::system_rng()),
      ids_(process_.clock, rng_) {}

Shard::~Shard() {
  if (thread_.joinable()) {
    context_.stop();
    thread_.join();
  }
}

Expected<std::unique_ptr<Shard>> Shard::create(Process process) {
  std::unique_ptr<Shard> shard(new Shard(std::move(process)));
  if (auto wired = shard->wire_storage(); !wired) return fail(std::move(wired).error());
  if (auto wired = shard->wire_delivery(); !wired) return fail(std::move(wired).error());
  shard->wire_flows();
  if (auto wired = shard->wire_keys(); !wired) return fail(std::move(wired).error());
  return shard;
}

async::OnEscape Shard::on_escape() const {
  return [log = process_.log](std::string_view what) {
    log.error("an exception escaped a task: a bug", {{"what", what}});
  };
}

std::function<void(std::string_view)> Shard::on_event(std::string component) const {
  return [log = process_.log.component(std::move(component))](std::string_view what) {
    log.info(what);
  };
}

void Shard::wire_queue() {
  const config::Config& c = process_.config;
  // A new name for every start of every worker: a lease belongs to an incarnation.
  queue_books_ =
      std::make_unique<stores::QueueBooks>(c.service.node_name + ":" + ids_.next().to_string(),
                                           static_cast<std::uint16_t>(c.queue.shards));
  leases_ = std::make_unique<stores::RedisLeases>(*redis_, timers_, rng_, *queue_books_);
  stores::RedisQueue::Options options;
  options.age_bound = c.queue.age_bound;
  options.on_unreadable_item = [this](const base::Error& error) {
    process_.metrics.queue.step_failures.add("decode");
    step_failed("queue", "decode", error);
  };
  queue_ = std::make_unique<stores::RedisQueue>(
      *redis_, timers_, *queue_books_, leases_->standing(), std::move(options), on_escape());
}

Expected<void> Shard::wire_delivery() {
  const config::Config& c = process_.config;
  client_pump_ = std::make_unique<net::CompletionPump>(timers_.executor(),
                                                       std::make_unique<grpc::CompletionQueue>());
  auth_ = std::make_unique<clients::AuthClient>(
      to_string(c.auth_service.address), timers_.executor(), client_pump_->queue(), process_.clock);
  devices_ = std::make_unique<clients::DeviceCache>(
      *auth_, timers_,
      clients::DeviceCache::Options{c.devices.cache_ttl, c.devices.cache_users,
                                    [&m = process_.metrics.deliver](bool cached) {
                                      m.device_lookups.add(cached ? "cache" : "auth_service");
                                    }});
  return wire_providers();
}

void Shard::wire_flows() {
  const config::Config& c = process_.config;
  wire_users();
  wire_deciding();
  wire_limits();
  render_ = std::make_unique<flows::Render>(*template_cache_, timers_);
  accept_ = std::make_unique<flows::Accept>(
      flows::Accept::Parts{*ledger_, *queue_, *deciding_, ids_, expiry_policy(c), accept_events(),
                           [this] { deliver_->wake(); },
                           [this] { return heartbeat_->pulse().swept_until; },
                           c.accept.unqueued_max, render_.get(), limiting_.get(),
                           [this](std::vector<stores::QueueItem> items) {
                             return recover_->promote(std::move(items));
                           },
                           bursts_.get(),
                           [this](std::vector<base::NotificationId> ids) {
                             return recover_->recheck(std::move(ids));
                           },
                           [this] { return clock_is_right_; }},
      process_.clock, timers_.executor(), on_escape());
  deliver_ = std::make_unique<flows::Deliver>(
      flows::Deliver::Parts{*ledger_, *queue_, *devices_, router_, *deciding_, timers_, rng_,
                            retry_policy(c), deliver_limits(c), deliver_events(),
                            [this] { return heartbeat_->lease_term(); }, limiting_.get(),
                            bursts_.get()},
      on_escape());
  heartbeat_ = std::make_unique<flows::Heartbeat>(
      flows::Heartbeat::Parts{*leases_, timers_, heartbeat_policy(c),
                              flows::HeartbeatEvents{recover_events().step_failed},
                              [this](std::uint64_t term) { return deliver_->held(term); },
                              [this](base::NotificationId id) { return deliver_->holds(id); },
                              [this] { return clock_is_right_; }},
      on_escape());
  recover_ = std::make_unique<flows::Recover>(
      flows::Recover::Parts{*leases_, *backlog_, *upkeep_, timers_, queue_books_->node(),
                            recover_policy(c), recover_events(), [this] { deliver_->wake(); },
                            [this] { return heartbeat_->pulse(); }},
      on_escape());
  cancel_ = std::make_unique<flows::Cancel>(
      flows::Cancel::Parts{*ledger_, *history_, *leases_, timers_, cancel_policy(c),
                           cancel_events(), [this] { return heartbeat_->pulse(); }});
  retract_ = std::make_unique<flows::Retract>(flows::Retract::Parts{
      *cancel_, *ledger_, *history_, *queue_, ids_, timers_, cancel_policy(c).step_timeout,
      cancel_events().step_failed, [this] { deliver_->wake(); }});
  replay_ = std::make_unique<flows::Replay>(flows::Replay::Parts{
      *letters_, *audit_, ids_, timers_, replay_limits(c), replay_events(process_.log)});
  template_admin_ = std::make_unique<flows::TemplateAdmin>(
      flows::TemplateAdmin::Parts{*templates_, ids_, [this] { template_cache_->invalidate(); }});
  calls_ = std::make_unique<async::TaskGroup>(timers_.executor(), on_escape());
  watchers_ = std::make_unique<async::TaskGroup>(timers_.executor(), on_escape());
}

flows::AcceptEvents Shard::accept_events() {
  const telemetry::AcceptMetrics& m = process_.metrics.accept;
  return {.accepted = [&m] { m.results.add("accepted"); },
          .repeated = [&m] { m.results.add("repeated"); },
          .refused =
              [&m](base::Errc code) {
                m.results.add("refused");
                m.errors.add(code);
              },
          .not_queued = [&m](std::size_t count) { m.not_queued.add(static_cast<double>(count)); }};
}

flows::DeliverEvents Shard::deliver_events() {
  const telemetry::Metrics& m = process_.metrics;
  return {
      .sent =
          [this, &m](const providers::Provider& provider, const rules::Outcome& outcome,
                     std::chrono::nanoseconds took) {
            const telemetry::ProviderMetrics& of_it = m.providers.at(provider.name());
            of_it.operations.add();
            of_it.latency.observe(took);
            of_it.outcomes.add(rules::name(outcome.kind));
            if (outcome.kind == rules::OutcomeKind::bad_credentials) {
              log_bad_credentials(provider.name(), outcome);
            }
          },
      .left_out = [&m](rules::LeftOut why) { m.deliver.left_out.add(rules::name(why)); },
      .braked =
          [this, &m](std::string_view provider, bool is_on) {
            m.providers.at(provider).brakes.add(is_on ? 1 : -1);
            log_brake(provider, is_on);
          },
      .broken =
          [this, &m](std::string_view provider, bool is_open) {
            m.providers.at(provider).breakers.add(is_open ? 1 : -1);
            log_breaker(provider, is_open);
          },
      .finished =
          [&m](rules::Status status, std::chrono::nanoseconds since_accepted) {
            m.deliver.results.add(rules::name(status));
            if (status == rules::Status::delivered) m.deliver.end_to_end.observe(since_accepted);
          },
      .step_failed =
          [this](std::string_view step, const base::Error& error) {
            process_.metrics.deliver.step_failures.add(step);
            step_failed("deliver", step, error);
          },
  };
}

flows::CancelEvents Shard::cancel_events() {
  const telemetry::CancelMetrics& m = process_.metrics.cancel;
  return {.answered = [&m](rules::CancelResult result) { m.results.add(rules::name(result)); },
          .step_failed =
              [this, &m](std::string_view step, const base::Error& error) {
                m.step_failures.add(step);
                step_failed("cancel", step, error);
              }};
}

void Shard::log_bad_credentials(std::string_view provider, const rules::Outcome& outcome) {
  process_.log.component(std::string(provider))
      .error("the provider refuses our credentials",
             {{"code", outcome.code}, {"meaning", outcome.message}});
}

void Shard::log_brake(std::string_view provider, bool is_on) {
  const telemetry::Log log = process_.log.component(std::string(provider));
  if (is_on) {
    log.error(
        "too many tokens are called dead: none is dropped until this is over; check the "
        "provider's endpoint, environment, topic and key");
  } else {
    log.info("tokens that are called dead are dropped again");
  }
}

void Shard::log_breaker(std::string_view provider, bool is_open) {
  const telemetry::Log log = process_.log.component(std::string(provider));
  if (is_open) {
    log.warn("a server does not answer: what is for it waits, and one request at a time asks it");
  } else {
    log.info("a server answers again");
  }
}

flows::RecoverEvents Shard::recover_events() {
  const telemetry::RecoverMetrics& m = process_.metrics.recover;
  return {
      .elected =
          [this, &m] {
            m.elections.add();
            process_.log.component("recover").info("was elected to recover for all nodes");
          },
      .taken_over =
          [this, &m](std::size_t count) {
            m.taken_over.add(static_cast<double>(count));
            process_.log.component("recover").warn("took over the leases of a node that is gone",
                                                   {{"count", count}});
          },
      .readmitted =
          [this, &m](std::size_t count) {
            m.readmitted.add(static_cast<double>(count));
            process_.log.component("recover").info(
                "put unfinished notifications back into the queue", {{"count", count}});
          },
      .rebuilt =
          [this, &m] {
            m.rebuilds.add();
            process_.log.component("recover").warn(
                "the queue had lost data and was rebuilt from the ledger");
          },
      .unreadable =
          [this, &m](std::size_t count) {
            m.unreadable.add(static_cast<double>(count));
            process_.log.component("recover").error(
                "rows of the ledger cannot be read and were skipped", {{"count", count}});
          },
      .step_failed =
          [this, &m](std::string_view step, const base::Error& error) {
            m.step_failures.add(step);
            step_failed("recover", step, error);
          },
  };
}

void Shard::step_failed(std::string_view component, std::string_view step,
                        const base::Error& error) {
  process_.log.component(std::string(component))
      .warn("a step failed", {{"step", step}, {"error", error.code}, {"detail", error.detail}});
}

Expected<void> Shard::open(edges::Server& server, std::size_t queue_index,
                           const edges::http::Listener& listener) {
  auto queue = server.take_queue(queue_index);
  rpc_host_ = std::make_unique<edges::RpcHost>(edges::RpcHost{
      timers_, *calls_, queue.get(), base::FairShares(process_.config.grpc.in_flight_max),
      std::chrono::seconds(10),
      [&m = process_.metrics.accept](std::string_view method, std::chrono::nanoseconds took) {
        const bool accepts = method == "SendNotification" || method == "BatchSendNotifications" ||
                             method == "StreamNotifications";
        if (!accepts) return;
        m.operations.add();
        m.latency.observe(took);
      },
      caller_proof(process_.config.grpc)});
  rpc_ = std::make_unique<edges::NotificationRpc>(*rpc_host_, server.service(), *accept_, *cancel_,
                                                  *retract_, *history_);
  preference_rpc_ = std::make_unique<edges::PreferenceRpc>(*rpc_host_, server.preference_service(),
                                                           *preferences_);
  admin_rpc_ =
      std::make_unique<edges::AdminRpc>(*rpc_host_, server.admin_service(), *letters_, *replay_);
  template_rpc_ = std::make_unique<edges::TemplateRpc>(*rpc_host_, server.template_service(),
                                                       *template_admin_, *templates_);
  health_rpc_ =
      std::make_unique<edges::HealthRpc>(*rpc_host_, server.health_service(), server.serving());
  if (auto* services = server.reflection_services()) {
    reflection_rpc_ = std::make_unique<edges::ReflectionRpc>(*rpc_host_, *services);
  }
  server_pump_ = std::make_unique<net::CompletionPump>(timers_.executor(), std::move(queue));
  return wire_rest(listener);
}

void Shard::start() {
  boost::asio::post(context_, [this] {
    pg_intake_->start();
    pg_->start();
    pg_background_->start();
    redis_->start();
    if (redis_cache_) redis_cache_->start();
    settings_cache_->start();
    deliver_->start();
    heartbeat_->start();
    recover_->start();
    watchers_->spawn(watch());
    rpc_->start();
    preference_rpc_->start();
    admin_rpc_->start();
    template_rpc_->start();
    health_rpc_->start();
    if (reflection_rpc_) reflection_rpc_->start();
    if (jwks_) jwks_->warm();
    rest_->start();
  });
  thread_ = std::thread([this] { context_.run(); });
}

void Shard::begin_drain() {
  boost::asio::post(context_, [this] {
    deliver_->stop_leasing();
    rpc_->end_streams();
    admin_rpc_->end_streams();
    health_rpc_->end_streams();
    if (reflection_rpc_) reflection_rpc_->end_streams();
    rest_->drain();
  });
}

void Shard::begin_stop(base::Deadline deadline) {
  auto ended = std::make_shared<std::promise<void>>();
  stop_.emplace(Stop{deadline, ended->get_future()});
  boost::asio::post(context_, [this, ended, deadline] {
    boost::asio::co_spawn(context_, shut_down(deadline),
                          [ended](const std::exception_ptr&) { ended->set_value(); });
  });
}

bool Shard::join() {
  const auto left = stop_->deadline.left(process_.clock.steady_now());
  if (stop_->ended.wait_for(left) != std::future_status::ready) {
    process_.log.error("did not drain in time: what is left is for recovery to take over");
    return false;
  }
  // The queues' last events run on the context, which must still turn.
  server_pump_->stop();
  client_pump_->stop();
  work_.reset();
  thread_.join();
  return true;
}

async::Task<void> Shard::shut_down(base::Deadline deadline) {
  co_await watchers_->stop();
  co_await rest_->stop(deadline);
  if (jwks_) co_await jwks_->stop();
  co_await calls_->join();
  co_await accept_->stop();
  co_await limiter_->stop();
  co_await deliver_->stop();
  co_await recover_->stop();
  co_await heartbeat_->stop();
  co_await ledger_->stop();
  co_await settings_cache_->stop();
  if (known_users_) co_await known_users_->stop();
  co_await queue_->stop();
  co_await heartbeat_->sign_off();
  for (const auto& provider : providers_) co_await provider->stop(deadline);
  co_await redis_->stop(deadline);
  if (redis_cache_) co_await redis_cache_->stop(deadline);
  co_await pg_intake_->stop(deadline);
  co_await pg_->stop(deadline);
  co_await pg_background_->stop(deadline);
}

}  // namespace notify::app
