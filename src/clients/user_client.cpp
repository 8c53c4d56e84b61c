#include "clients/user_client.hpp"

#include <utility>

#include "clients/unary_call.hpp"
#include "user/user.grpc.pb.h"

namespace notify::clients {

using base::Expected;

struct UserClient::Impl {
  Caller caller;
  std::unique_ptr<user::UserService::Stub> stub;
};

UserClient::UserClient(const std::string& address, async::Executor executor,
                       grpc::CompletionQueue* queue, const base::Clock& clock)
    : impl_(std::make_unique<Impl>(Impl{{"user-service", std::move(executor), queue, clock},
                                        user::UserService::NewStub(own_channel(address))})) {}

UserClient::~UserClient() = default;

async::Task<Expected<bool>> UserClient::is_known(base::UserId user, base::Deadline deadline) {
  user::ValidateUserRequest request;
  request.set_user_id(user.to_string());
  const auto response = co_await call_unary(impl_->caller, *impl_->stub,
                                            &user::UserService::Stub::PrepareAsyncValidateUser,
                                            std::move(request), deadline);
  if (response) co_return response->valid();
  if (response.error().code == base::Errc::not_found) co_return false;
  co_return base::fail(response.error());
}

}  // namespace notify::clients
