#pragma once
// limiting: notifications that somebody will hear of → each within its limits, or over one. Accept
// asks when it has decided all else; what it then does not store is given back. A decision that is
// made again, before each try, was counted when it was made first; what deliver asks for are only
// the limits of devices, which count tries.
//
// Redis being away stops nothing: then each worker counts for itself (stores::LocalLimits), so that
// as many times a limit may pass as there are workers, and what was counted before is forgotten.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/async/timers.hpp"
#include "flows/refusal.hpp"
#include "rules/limits.hpp"
#include "stores/limiter.hpp"
#include "stores/local_limits.hpp"

namespace notify::flows {

struct LimitingEvents {
  std::function<void(const rules::Limit&)> reached;
  std::function<void(std::size_t operations)> counted_here;  ///< Redis being away
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it.
class Limiting {
 public:
  struct Parts {
    stores::Limiter& limiter;
    async::Timers& timers;
    rules::LimitPolicy policy;
    LimitingEvents events;
    /// After a failure, so long nobody asks Redis again.
    std::chrono::milliseconds pause{1'000};
  };

  /// What became of one notification.
  struct Outcome {
    std::optional<rules::LimitReached> reached;  ///< unset: it is counted, if it has counters
    rules::OverLimit consequence{};              ///< with `reached`
    std::chrono::milliseconds retry_after{0};    ///< likewise
    stores::LimitReturn counted;                 ///< for give_back(); empty: by nobody
    bool counted_here = false;
  };

  explicit Limiting(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] bool has_limits() const { return !parts_.policy.all.empty(); }
  [[nodiscard]] bool limits_devices() const {
    return parts_.policy.limits(rules::LimitSubject::device);
  }

  /// One for each, in order. Never fails.
  /// Lifetime: the notifications outlive the call.
  [[nodiscard]] async::Task<std::vector<Outcome>> take(
      std::vector<const rules::Notification*> notifications, rules::LimitedCaller caller);

  /// Counts a try to deliver to a device, for each of them, in order. Never fails.
  [[nodiscard]] async::Task<std::vector<Outcome>> take(std::vector<base::DeviceId> devices,
                                                       std::string type);

  /// Of what will not take place after all.
  [[nodiscard]] async::Task<void> give_back(std::vector<Outcome> outcomes);

 private:
  using Taken = std::vector<base::Expected<stores::LimitTaken>>;
  [[nodiscard]] async::Task<std::vector<Outcome>> take_all(std::vector<stores::LimitClaim> claims);
  [[nodiscard]] async::Task<Taken> ask(std::vector<stores::LimitClaim> claims);
  [[nodiscard]] Outcome outcome(stores::LimitClaim claim,
                                const base::Expected<stores::LimitTaken>& taken);
  void failed(std::string_view step, const base::Error& error);
  [[nodiscard]] std::chrono::milliseconds steady_now() const;

  Parts parts_;
  stores::LocalLimits here_;
  base::SteadyTime here_until_ = base::SteadyTime::min();
};

/// To the caller, of a limit that is reached.
[[nodiscard]] Refusal refuse_over_limit(const Limiting::Outcome& outcome);

}  // namespace notify::flows
