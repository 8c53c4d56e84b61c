#pragma once
// The port to a push service: one notification to one device, and what came of it.

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "rules/notification.hpp"
#include "rules/outcome.hpp"
#include "rules/style.hpp"

namespace notify::providers {

class Provider {
 public:
  virtual ~Provider() = default;

  /// Never fails otherwise than by an Outcome: trouble on the way is retry_later if the provider
  /// certainly did not get it, and unknown if it may have.
  /// Cancel: throws operation_aborted; the notification may have been delivered.
  [[nodiscard]] virtual async::Task<rules::Outcome> send(const rules::Notification& notification,
                                                         const rules::Style& style,
                                                         const rules::Device& device,
                                                         base::Deadline deadline) = 0;
};

}  // namespace notify::providers
