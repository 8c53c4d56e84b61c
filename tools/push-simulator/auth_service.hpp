#pragma once
// auth-service as the notification service sees it: the devices of the registry over gRPC, with
// scripted faults, standard health checking and reflection.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "auth/auth.grpc.pb.h"
#include "base/clock.hpp"
#include "base/expected.hpp"
#include "push-simulator/grpc_answers.hpp"
#include "push-simulator/registry.hpp"

namespace notify::simulator {

/// Threading: any.
class AuthStats {
 public:
  CallStats calls;
  void count_report(bool deactivated);
  void clear();
  [[nodiscard]] nlohmann::json stats() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t reports_ = 0;
  std::uint64_t deactivated_ = 0;
};

/// Threading: gRPC's own threads; start() and stop() from one other.
/// Lifetime:  everything referred to outlives this; stop() before destruction.
class AuthService final : public auth::AuthService::CallbackService {
 public:
  struct Parts {
    Registry& registry;
    FaultBook& faults;
    AuthStats& stats;
    const base::Clock& clock;
    grpc::Service* beside = nullptr;  ///< another service, on the same port
  };

  explicit AuthService(const Parts& parts) : parts_(parts) {}

  /// Errors: unavailable if the address is taken.
  [[nodiscard]] base::Expected<std::uint16_t> start(const std::string& listen);
  /// Calls that hang are cancelled after half a second.
  void stop();

  grpc::ServerUnaryReactor* GetUserDevices(grpc::CallbackServerContext* context,
                                           const auth::GetUserDevicesRequest* request,
                                           auth::GetUserDevicesResponse* response) override;
  grpc::ServerUnaryReactor* GetDeviceInfo(grpc::CallbackServerContext* context,
                                          const auth::GetDeviceInfoRequest* request,
                                          auth::GetDeviceInfoResponse* response) override;
  grpc::ServerUnaryReactor* ReportInvalidToken(grpc::CallbackServerContext* context,
                                               const auth::ReportInvalidTokenRequest* request,
                                               auth::ReportInvalidTokenResponse* response) override;
  grpc::ServerUnaryReactor* HealthCheck(grpc::CallbackServerContext* context,
                                        const auth::HealthCheckRequest* request,
                                        auth::HealthCheckResponse* response) override;

 private:
  struct Call {
    std::string_view method;
    std::string_view token;
  };
  /// `work` makes the right answer; faults come before it.
  template <class Work>
  grpc::ServerUnaryReactor* run(grpc::CallbackServerContext* context, const Call& call,
                                const Work& work);

  grpc::Status user_devices(const auth::GetUserDevicesRequest& request,
                            auth::GetUserDevicesResponse& response) const;
  grpc::Status device_info(const auth::GetDeviceInfoRequest& request,
                           auth::GetDeviceInfoResponse& response) const;
  grpc::Status invalid_token(const auth::ReportInvalidTokenRequest& request);

  Parts parts_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace notify::simulator
