#pragma once
// user-service as the notification service sees it: everybody exists, but those who were said not
// to.

#include <grpcpp/grpcpp.h>

#include <mutex>
#include <set>

#include "base/strong_id.hpp"
#include "push-simulator/grpc_answers.hpp"
#include "user/user.grpc.pb.h"

namespace notify::simulator {

/// Threading: any.
class UnknownUsers {
 public:
  void set(base::UserId user, bool is_known);
  [[nodiscard]] bool is_known(base::UserId user) const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::set<base::UserId> unknown_;
};

/// Threading: gRPC's own threads.
/// Lifetime:  everything referred to outlives this.
class UserService final : public user::UserService::CallbackService {
 public:
  struct Parts {
    UnknownUsers& users;
    FaultBook& faults;
    CallStats& stats;
  };

  explicit UserService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* ValidateUser(grpc::CallbackServerContext* context,
                                         const user::ValidateUserRequest* request,
                                         user::ValidateUserResponse* response) override;

 private:
  Parts parts_;
};

}  // namespace notify::simulator
