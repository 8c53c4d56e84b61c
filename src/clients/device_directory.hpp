#pragma once
// The port to auth-service, the source of truth for devices.

#include <vector>

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "rules/notification.hpp"

namespace notify::clients {

/// What auth-service is told about a dead token. It compares `token` with the one it has, so that a
/// registration newer than `invalid_since` survives.
struct InvalidToken {
  base::UserId user;
  base::DeviceId device;
  base::Secret token;
  std::string reason;
  base::WallTime invalid_since;
};

class DeviceDirectory {
 public:
  virtual ~DeviceDirectory() = default;

  /// The active devices of a user; empty if there are none.
  /// Errors: unavailable, timed_out; corrupt if the answer makes no sense.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<rules::Device>>> user_devices(
      base::UserId user, base::Deadline deadline) = 0;

  [[nodiscard]] virtual async::Task<base::Expected<void>> report_invalid_token(
      InvalidToken report, base::Deadline deadline) = 0;

  /// Whether auth-service answers and calls itself healthy.
  [[nodiscard]] virtual async::Task<base::Expected<void>> check_health(base::Deadline deadline) = 0;
};

}  // namespace notify::clients
