#pragma once
// The port to user-service, the source of truth for users.

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "base/strong_id.hpp"

namespace notify::clients {

class UserDirectory {
 public:
  virtual ~UserDirectory() = default;

  /// Whether there is such a user.
  /// Errors: unavailable, timed_out, and whatever else its answer means.
  [[nodiscard]] virtual async::Task<base::Expected<bool>> is_known(base::UserId user,
                                                                   base::Deadline deadline) = 0;
};

}  // namespace notify::clients
