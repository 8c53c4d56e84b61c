#include "edges/grpc/server.hpp"

namespace notify::edges {
namespace {

int to_ms(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

/// Limits what a connection may hold of this process, and for how long if its peer is gone.
void limit_connections(grpc::ServerBuilder& builder, const ServerOptions& options) {
  constexpr std::chrono::seconds kPingTimeout{20};
  constexpr std::chrono::seconds kClientsPingsApart{10};
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(options.streams_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, to_ms(options.idle_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, to_ms(options.ping_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, to_ms(kPingTimeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // No end of our own pings while no data is sent: a stream may be silent for hours.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Clients that ping more often than this are told ENHANCE_YOUR_CALM.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             to_ms(kClientsPingsApart));
}

/// Leaves out what each call would pay for and nothing here uses: answers are too small to be
/// compressed, statistics are ours, and a call's deadline is kept by its method. A client may
/// compress its requests all the same.
void leave_out_unused(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
}

}  // namespace

base::Expected<std::unique_ptr<Server>> Server::listen(const ServerOptions& options,
                                                       const base::Clock& clock,
                                                       std::size_t workers) {
  std::unique_ptr<Server> server(new Server());
  grpc::ServerBuilder builder;
  if (options.certificates) {
    if (auto read = net::read_certificates(*options.certificates); !read) {
      return base::fail(std::move(read).error());
    }
    server->credentials_ =
        std::make_shared<MutualTls>(*options.certificates, clock, options.on_unusable_certificates);
    // Certificates are looked at when a connection begins: so none outlives its own for long.
    constexpr int kAgeMaxMs = 3'600'000;
    constexpr int kGraceMs = 300'000;
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kAgeMaxMs);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kGraceMs);
  } else {
    server->credentials_ = grpc::InsecureServerCredentials();
  }
  builder.AddListeningPort(options.address, server->credentials_, &server->port_);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.request_max_bytes));
  // Two processes on one port would each get half of the calls, and an operator's mistake would be
  // noticed late.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  limit_connections(builder, options);
  leave_out_unused(builder);
  builder.RegisterService(&server->service_);
  builder.RegisterService(&server->preference_service_);
  builder.RegisterService(&server->admin_service_);
  builder.RegisterService(&server->template_service_);
  builder.RegisterService(&server->health_service_);
  if (options.reflection) {
    server->reflection_services_ = std::make_unique<RawReflectionServices>();
    builder.RegisterService(&server->reflection_services_->v1);
    builder.RegisterService(&server->reflection_services_->v1alpha);
  }
  for (std::size_t i = 0; i < workers; ++i) {
    server->queues_.push_back(builder.AddCompletionQueue());
  }
  server->server_ = builder.BuildAndStart();
  if (!server->server_ || server->port_ == 0) {
    return base::fail(base::Errc::unavailable, "cannot listen on " + options.address);
  }
  return server;
}

Server::~Server() = default;

std::unique_ptr<grpc::ServerCompletionQueue> Server::take_queue(std::size_t worker) {
  return std::move(queues_[worker]);
}

void Server::shut_down(std::chrono::milliseconds grace) {
  const gpr_timespec deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(grace.count(), GPR_TIMESPAN));
  server_->Shutdown(deadline);
}

}  // namespace notify::edges
