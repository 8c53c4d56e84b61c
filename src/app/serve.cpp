#include "app/serve.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <future>
#include <iostream>
#include <thread>

#include "app/shard.hpp"
#include "edges/http/admin_server.hpp"
#include "edges/http/listener.hpp"
#include "edges/http/version.hpp"
#include "net/grpc/runtime.hpp"
#include "rules/push_service.hpp"
#include "telemetry/instruments.hpp"

namespace notify::app {
namespace {

/// The admin server on a thread of its own: it answers while everything else is in trouble, and
/// during the drain.
class AdminThread {
 public:
  AdminThread(const config::Config& config, const base::Clock& clock,
              edges::http::AdminSources sources, const telemetry::Log& log)
      : work_(boost::asio::make_work_guard(context_)),
        timers_(context_.get_executor(), clock),
        server_(context_.get_executor(), timers_,
                {.host = config.admin.listen.host, .port = config.admin.listen.port}, sources,
                log.component("admin")) {}

  ~AdminThread() {
    if (!thread_.joinable()) return;
    std::promise<void> ended;
    boost::asio::co_spawn(context_, server_.stop(),
                          [&ended](const std::exception_ptr&) { ended.set_value(); });
    ended.get_future().wait();
    work_.reset();
    thread_.join();
  }
  AdminThread(const AdminThread&) = delete;
  AdminThread& operator=(const AdminThread&) = delete;

  base::Expected<std::uint16_t> start() {
    auto port = server_.start();
    if (port) thread_ = std::thread([this] { context_.run(); });
    return port;
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  async::Timers timers_;
  edges::http::AdminServer server_;
  std::thread thread_;
};

struct Ports {
  int grpc;
  int http;
  int admin;
};

/// Appears as a whole, for those who wait for it.
bool write_ports(const std::string& file, const Ports& ports) {
  const std::string draft = file + ".new";
  {
    std::ofstream out(draft);
    out << "{\"grpc\": " << ports.grpc << ", \"http\": " << ports.http
        << ", \"admin\": " << ports.admin << "}\n";
    if (!out) return false;
  }
  return std::rename(draft.c_str(), file.c_str()) == 0;
}

/// SIGTERM and SIGINT from its construction on: who reads the ports file may send one at once. A
/// second signal is not waited for: it ends the process where it is.
class StopSignals {
 public:
  StopSignals() {
    signals_.async_wait([this](const boost::system::error_code&, int signal) {
      number_ = signal;
      signals_.clear();
    });
  }

  bool arrived() {
    context_.poll();
    return number_ != 0;
  }

  int wait() {
    context_.run();
    return number_;
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_{context_, SIGTERM, SIGINT};
  int number_ = 0;
};

int fail(const telemetry::Log& log, const base::Error& error) {
  log.error("cannot start", {{"error", error.code}, {"detail", error.detail}});
  return 1;
}

base::Expected<std::vector<std::unique_ptr<Shard>>> make_shards(const Process& process) {
  std::vector<std::unique_ptr<Shard>> shards;
  for (std::size_t i = 0; i < process.config.service.workers; ++i) {
    auto shard = Shard::create(process);
    if (!shard) return base::fail(std::move(shard).error());
    shards.push_back(std::move(*shard));
  }
  return shards;
}

void wait(config::Duration duration) {
  boost::asio::io_context context(1);
  boost::asio::steady_timer timer(context, duration);
  timer.async_wait([](const boost::system::error_code&) {});
  context.run();
}

/// The first connections take a moment; who is told SERVING should not meet UNAVAILABLE. Without
/// PostgreSQL the service starts all the same, and says in /readyz what it lacks.
void wait_until_ready(const Process& process, StopSignals& signals) {
  const base::Deadline patience = base::Deadline::after(process.clock, std::chrono::seconds(5));
  while (!process.health.report().ready && !signals.arrived() &&
         !patience.passed(process.clock.steady_now())) {
    wait(std::chrono::milliseconds(5));
  }
}

/// Every step is for all workers: nothing more is leased, then calls end, then what is under way;
/// in all at most shutdown.timeout. False if something had to be abandoned.
bool drain(const Process& process, edges::Server& server, edges::http::Listener& listener,
           const std::vector<std::unique_ptr<Shard>>& shards) {
  const base::Deadline deadline =
      base::Deadline::after(process.clock, process.config.shutdown.timeout);
  process.health.start_draining();
  server.set_serving(false);
  // Calls go on for a while; only the word that they should go elsewhere is out.
  wait(process.config.shutdown.linger);
  listener.close();
  for (const auto& shard : shards) shard->begin_drain();
  server.shut_down(process.config.shutdown.timeout / 2);
  for (const auto& shard : shards) shard->begin_stop(deadline);
  bool clean = true;
  for (const auto& shard : shards) clean = shard->join() && clean;
  return clean;
}

edges::ServerOptions server_options(const config::Grpc& grpc, const telemetry::Log& log) {
  edges::ServerOptions options{.address = to_string(grpc.listen),
                               .request_max_bytes = grpc.request_max_bytes.count,
                               .streams_max = grpc.streams_max,
                               .idle_timeout = grpc.idle_timeout,
                               .ping_interval = grpc.ping_interval,
                               .reflection = grpc.reflection};
  if (grpc.has_certificates()) {
    options.certificates = {grpc.cert_file.string(), grpc.key_file.string(), grpc.ca_file.string()};
    options.on_unusable_certificates = [&log](const base::Error& error) {
      log.warn("the certificates cannot be used: those read before stay in use",
               {{"detail", error.detail}});
    };
  }
  return options;
}

/// Everything but the admin server, from the first connection to the last.
int run(const Process& process, int admin_port, const std::optional<std::string>& ports_file) {
  const config::Config& config = process.config;
  const telemetry::Log& log = process.log;
  auto shards = make_shards(process);
  if (!shards) return fail(log, shards.error());
  const auto listener =
      edges::http::Listener::open(config.http.listen.host, config.http.listen.port);
  if (!listener) return fail(log, listener.error());
  auto server = edges::Server::listen(server_options(config.grpc, log), process.clock,
                                      config.service.workers);
  if (!server) return fail(log, server.error());
  for (std::size_t i = 0; i < shards->size(); ++i) {
    const auto opened = (*shards)[i]->open(**server, i, **listener);
    // Half of the queues are taken: a server in this state cannot be taken apart.
    if (!opened) std::quick_exit(fail(log, opened.error()));
  }
  StopSignals signals;
  for (const auto& shard : *shards) shard->start();
  wait_until_ready(process, signals);
  (*server)->set_serving(true);
  const Ports ports{(*server)->port(), (*listener)->port(), admin_port};
  if (ports_file && !write_ports(*ports_file, ports)) {
    log.error("the ports file cannot be written", {{"file", *ports_file}});
  }
  log.info("serving", {{"grpc_port", ports.grpc},
                       {"http_port", ports.http},
                       {"admin_port", ports.admin},
                       {"workers", config.service.workers}});
  if (!config.http.has_keys()) {
    log.warn("no keys of users' tokens are configured: REST answers every call with 401",
             {{"set", "http.jwks_url or http.jwks_file"}});
  }
  const int signal = signals.wait();
  log.info("draining", {{"signal", signal}});
  const bool clean = drain(process, **server, **listener, *shards);
  log.info("stopped", {{"clean", clean}});
  // What could not be drained still has frames that refer to the shards: the end of the process is
  // the only safe way to free them. Recovery takes over what they held.
  if (!clean) std::quick_exit(1);
  return 0;
}

}  // namespace

int serve(const config::Config& config, const std::optional<std::string>& ports_file) {
  net::prepare_grpc();
  std::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error of its write, not a signal
  const base::SystemClock clock;
  telemetry::LogOutput log_output({.level = config.log.level,
                                   .format = config.log.format,
                                   .node = config.service.node_name,
                                   .user_key = config.log.user_key},
                                  clock);
  const telemetry::Log log(log_output);
  telemetry::MetricRegistry registry;
  std::vector<std::string_view> push_services;
  for (const rules::PushService& service : rules::push_services()) {
    push_services.push_back(service.name);
  }
  const telemetry::Metrics metrics(registry, push_services);
  telemetry::Health health(clock);
  const edges::http::Version version = edges::http::this_build();
  telemetry::register_build_info(registry, std::string(version.version),
                                 std::string(version.revision));

  AdminThread admin(config, clock, {registry, health}, log);
  const auto admin_port = admin.start();
  if (!admin_port) return fail(log, admin_port.error());
  return run({config, clock, log, metrics, health}, *admin_port, ports_file);
}

}  // namespace notify::app
