#include "edges/grpc/server.hpp"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace notify::edges {
namespace {

std::shared_ptr<grpc::ServerCredentials> mutual_tls(const net::CertificateFiles& files) {
  namespace tls = grpc::experimental;
  constexpr unsigned kLookSeconds = 10;
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::FileWatcherCertificateProvider>(
      files.key_file, files.cert_file, files.ca_file, kLookSeconds));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return tls::TlsServerCredentials(options);
}

}  // namespace

base::Expected<std::unique_ptr<Server>> Server::listen(const ServerOptions& options,
                                                       std::size_t workers) {
  if (options.certificates) {
    if (auto checked = net::check_certificates(*options.certificates); !checked) {
      return base::fail(std::move(checked).error());
    }
  }
  std::unique_ptr<Server> server(new Server());
  grpc::ServerBuilder builder;
  builder.AddListeningPort(
      options.address,
      options.certificates ? mutual_tls(*options.certificates) : grpc::InsecureServerCredentials(),
      &server->port_);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.request_max_bytes));
  // Two processes on one port would each get half of the calls, and an operator's mistake would be
  // noticed late.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Clients may keep idle connections checked, as often as every ten seconds.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
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
