#include "edges/grpc/mutual_tls.hpp"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <utility>

namespace notify::edges {

MutualTls::MutualTls(net::CertificateFiles files, const base::Clock& clock, OnUnusable on_unusable)
    : files_(std::move(files)), clock_(clock), on_unusable_(std::move(on_unusable)) {
  const auto fetch = [](void* self, grpc_ssl_server_certificate_config** config) {
    auto& mine = *static_cast<MutualTls*>(self);
    const std::scoped_lock lock(mine.mutex_);
    if (!mine.look()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const net::Certificates& now = mine.current_;
    const grpc_ssl_pem_key_cert_pair pair{now.key.c_str(), now.cert.c_str()};
    *config = grpc_ssl_server_certificate_config_create(now.ca.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  };
  credentials_ = grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, fetch, this));
}

MutualTls::~MutualTls() { grpc_server_credentials_release(credentials_); }

/// Who calls is judged by caller_of(), call by call.
void MutualTls::SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) {}

int MutualTls::AddPortToServer(const std::string& address, grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

bool MutualTls::look() {
  constexpr std::chrono::seconds kInterval{1};
  const base::SteadyTime now = clock_.steady_now();
  if (!current_.key.empty() && now < looked_at_ + kInterval) return false;
  looked_at_ = now;
  auto read = net::read_certificates(files_);
  if (!read) {
    on_unusable_(read.error());
    return false;
  }
  if (*read == current_) return false;
  current_ = std::move(*read);
  return true;
}

}  // namespace notify::edges
