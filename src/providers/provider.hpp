#pragma once
// The port to a push service: one notification to one device, and what came of it.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "net/http2/pool.hpp"
#include "rules/delivery.hpp"
#include "rules/notification.hpp"
#include "rules/outcome.hpp"
#include "rules/style.hpp"

namespace notify::providers {

class Provider {
 public:
  virtual ~Provider() = default;

  /// That of the push service, see rules/push_service.hpp.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Why nothing can ever be sent to this device, which is one of the push service's.
  [[nodiscard]] virtual std::optional<rules::Flaw> flaw_of(const rules::Device& device) const = 0;

  /// Never fails otherwise than by an Outcome: trouble on the way is not_processed if the
  /// provider certainly did not get it, and unknown if it may have.
  /// Cancel: throws operation_aborted; the notification may have been delivered.
  [[nodiscard]] virtual async::Task<rules::Outcome> send(const rules::Notification& notification,
                                                         const rules::Style& style,
                                                         const rules::Device& device,
                                                         base::Deadline deadline) = 0;

  /// The server that is asked for this device: that one is down, or misled, by itself.
  [[nodiscard]] virtual std::string peer_of(const rules::Device& /*device*/) const {
    return std::string(name());
  }

  /// How long an answer is waited for.
  [[nodiscard]] virtual std::chrono::milliseconds request_timeout() const = 0;

  /// How its connections do.
  [[nodiscard]] virtual http2::PoolCounters counters() const = 0;

  /// Lets open requests end until `deadline`, then closes. Call it once, when nothing is sent.
  [[nodiscard]] virtual async::Task<void> stop(base::Deadline deadline) = 0;
};

}  // namespace notify::providers
