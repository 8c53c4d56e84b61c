#include "push-simulator/user_service.hpp"

namespace notify::simulator {

void UnknownUsers::set(base::UserId user, bool is_known) {
  const std::lock_guard lock(mutex_);
  if (is_known) {
    unknown_.erase(user);
  } else {
    unknown_.insert(user);
  }
}

bool UnknownUsers::is_known(base::UserId user) const {
  const std::lock_guard lock(mutex_);
  return !unknown_.contains(user);
}

void UnknownUsers::clear() {
  const std::lock_guard lock(mutex_);
  unknown_.clear();
}

grpc::ServerUnaryReactor* UserService::ValidateUser(grpc::CallbackServerContext* context,
                                                    const user::ValidateUserRequest* request,
                                                    user::ValidateUserResponse* response) {
  return answer(context, parts_.faults, parts_.stats, {FaultTarget::user, "ValidateUser", {}}, [&] {
    const auto user = base::UserId::parse(request->user_id());
    if (!user) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "user_id is no UUID");
    response->set_valid(parts_.users.is_known(*user));
    return grpc::Status();
  });
}

}  // namespace notify::simulator
