#pragma once
// auth-service over gRPC.

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "clients/device_directory.hpp"

namespace grpc {
class CompletionQueue;
}

namespace notify::clients {

/// Threading: the executor of the pump that owns `queue`.
/// Lifetime:  `clock` and `queue` outlive this; calls under way keep themselves alive until their
///            deadline.
/// Errors:    UNAVAILABLE and the like are Errc::unavailable, an expired deadline is timed_out.
/// Cancel:    the call is cancelled; for a report the effect may have happened.
class AuthClient final : public DeviceDirectory {
 public:
  /// `address` is host:port. The connection is made with the first call.
  AuthClient(const std::string& address, async::Executor executor, grpc::CompletionQueue* queue,
             const base::Clock& clock);
  ~AuthClient() override;

  [[nodiscard]] async::Task<base::Expected<std::vector<rules::Device>>> user_devices(
      base::UserId user, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> report_invalid_token(
      InvalidToken report, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> check_health(base::Deadline deadline) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify::clients
