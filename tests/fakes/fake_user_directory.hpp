#pragma once
// user-service in memory: who does not exist.

#include <set>
#include <vector>

#include "clients/user_directory.hpp"
#include "fakes/fake_link.hpp"

namespace notify::fakes {

/// What user-service knows.
struct FakeUsers {
  std::set<base::UserId> unknown;
  std::vector<base::UserId> asked;  ///< about whom, in order
};

/// Lifetime: `users` and `link` outlive this.
class FakeUserDirectory final : public clients::UserDirectory {
 public:
  FakeFault fault;

  FakeUserDirectory(FakeUsers& users, FakeLink& link) : users_(users), link_(link) {}

  [[nodiscard]] async::Task<base::Expected<bool>> is_known(base::UserId user,
                                                           base::Deadline) override {
    users_.asked.push_back(user);
    return link_.travel(
        fault, [this, user] { return base::Expected<bool>(!users_.unknown.contains(user)); });
  }

 private:
  FakeUsers& users_;
  FakeLink& link_;
};

}  // namespace notify::fakes
