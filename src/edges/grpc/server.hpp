#pragma once
// The gRPC server: one listening port, one completion queue and one pump for each worker.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.hpp"
#include "edges/grpc/admin_rpc.hpp"
#include "edges/grpc/health_rpc.hpp"
#include "edges/grpc/mutual_tls.hpp"
#include "edges/grpc/notification_rpc.hpp"
#include "edges/grpc/preference_rpc.hpp"
#include "edges/grpc/reflection_rpc.hpp"
#include "edges/grpc/template_rpc.hpp"

namespace notify::edges {

struct ServerOptions {
  std::string address;  ///< host:port; port 0: a free one
  std::size_t request_max_bytes = 1 << 20;
  std::size_t streams_max = 1'000;  ///< calls and streams of one connection
  std::chrono::milliseconds idle_timeout{std::chrono::minutes(10)};  ///< of a connection
  std::chrono::milliseconds ping_interval{std::chrono::minutes(1)};  ///< on a silent connection
  bool reflection = true;
  std::optional<net::CertificateFiles> certificates{};  ///< unset: no TLS
  MutualTls::OnUnusable on_unusable_certificates{};     ///< with certificates, while it serves
};

/// Threading: made, started and stopped on the main thread; the calls run on their workers.
/// Lifetime:  stop() completes before destruction, and every worker runs until then.
class Server {
 public:
  /// Lifetime: `clock` outlives the server.
  /// Errors: Errc::unavailable if the address cannot be bound, Errc::invalid for certificates that
  /// cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<Server>> listen(const ServerOptions& options,
                                                                      const base::Clock& clock,
                                                                      std::size_t workers);
  ~Server();

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] RawNotificationService& service() { return service_; }
  [[nodiscard]] RawPreferenceService& preference_service() { return preference_service_; }
  [[nodiscard]] RawAdminService& admin_service() { return admin_service_; }
  [[nodiscard]] RawTemplateService& template_service() { return template_service_; }
  [[nodiscard]] RawHealthService& health_service() { return health_service_; }
  /// nullptr if it is switched off.
  [[nodiscard]] RawReflectionServices* reflection_services() { return reflection_services_.get(); }

  /// The queue of a worker, to be taken once by its pump.
  [[nodiscard]] std::unique_ptr<grpc::ServerCompletionQueue> take_queue(std::size_t worker);

  /// What the standard health service answers, for the server as a whole and for each service of
  /// ours; not at first.
  void set_serving(bool serving) { serving_ = serving; }
  [[nodiscard]] const std::atomic<bool>& serving() const { return serving_; }

  /// Refuses new calls and waits for those under way, at most until `deadline`; what is left then
  /// is cancelled. The pumps have to run until after this.
  void shut_down(std::chrono::milliseconds grace);

 private:
  Server() = default;
  RawNotificationService service_;
  RawPreferenceService preference_service_;
  RawAdminService admin_service_;
  RawTemplateService template_service_;
  RawHealthService health_service_;
  std::unique_ptr<RawReflectionServices> reflection_services_;
  std::atomic<bool> serving_ = false;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace notify::edges
