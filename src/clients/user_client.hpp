#pragma once
// user-service over gRPC.

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "clients/user_directory.hpp"

namespace grpc {
class CompletionQueue;
}

namespace notify::clients {

/// Threading: the executor of the pump that owns `queue`.
/// Lifetime:  `clock` and `queue` outlive this; calls under way keep themselves alive until their
///            deadline.
/// Errors:    UNAVAILABLE and the like are Errc::unavailable, an expired deadline is timed_out.
/// Cancel:    the call is cancelled.
class UserClient final : public UserDirectory {
 public:
  /// `address` is host:port. The connection is made with the first call.
  UserClient(const std::string& address, async::Executor executor, grpc::CompletionQueue* queue,
             const base::Clock& clock);
  ~UserClient() override;

  [[nodiscard]] async::Task<base::Expected<bool>> is_known(base::UserId user,
                                                           base::Deadline deadline) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify::clients
