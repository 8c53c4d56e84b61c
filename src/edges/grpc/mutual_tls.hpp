#pragma once
// Server credentials from files that are replaced while the server runs.

#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "net/tls/certificates.hpp"

struct grpc_server_credentials;

namespace notify::edges {

/// Callers need a certificate too. The files are read when somebody connects, at most once a
/// second. What cannot be used, as while it is being replaced, changes nothing: what was there
/// before stays in use. (gRPC's own FileWatcherCertificateProvider drops it first, so that nobody
/// can connect, and ends the process if a file is empty.)
/// Threading: gRPC's.
/// Lifetime:  outlives the server, and `clock` this.
class MutualTls final : public grpc::ServerCredentials {
 public:
  using OnUnusable = std::function<void(const base::Error&)>;

  MutualTls(net::CertificateFiles files, const base::Clock& clock, OnUnusable on_unusable);
  ~MutualTls() override;

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& processor) override;

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  /// False: nothing has changed.
  [[nodiscard]] bool look();

  net::CertificateFiles files_;
  const base::Clock& clock_;
  OnUnusable on_unusable_;
  grpc_server_credentials* credentials_;
  std::mutex mutex_;
  base::SteadyTime looked_at_;
  net::Certificates current_;
};

}  // namespace notify::edges
