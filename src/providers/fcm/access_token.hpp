#pragma once
// The access token that every request to FCM carries: fetched once for all who need it, renewed
// before it ends.

#include <chrono>
#include <optional>

#include "base/async/condition.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "providers/fcm/access_grants.hpp"

namespace notify::providers {

/// Threading: on the executor of `timers` only; every worker has its own (docs/adr/0027).
/// Lifetime:  `grants` and `timers` outlive this; stop() completes before destruction.
/// Limits:    one fetch at a time; after a failure the next not before `retry_interval`; refusals
///            cause at most one fetch in `refusal_interval`.
class AccessToken {
 public:
  struct Options {
    /// So long before its end a token is renewed, while the old one still serves.
    std::chrono::seconds early = std::chrono::minutes(5);
    std::chrono::seconds retry_interval{5};
    std::chrono::seconds refusal_interval{10};
    std::chrono::seconds fetch_timeout{10};
  };

  AccessToken(AccessGrants& grants, async::Timers& timers, Options options,
              async::OnEscape on_escape);

  /// `Bearer <token>` if there is one that can be used; nullptr: wait() for it.
  /// Lifetime: until this coroutine next waits.
  [[nodiscard]] const base::Secret* ready();

  /// The same, after a fetch if need be, at most until `deadline`.
  /// Errors: those of AccessGrants::fetch(), also of the last fetch if the next is not due yet.
  /// Cancel: throws operation_aborted; the fetch goes on for the others.
  [[nodiscard]] async::Task<base::Expected<base::Secret>> wait(base::Deadline deadline);

  /// FCM has refused this one. It is dropped if it is still the current one, so that many refusals
  /// of one token cause one fetch.
  void refused(const base::Secret& authorization);

  [[nodiscard]] async::Task<void> stop() { return fetching_.stop(); }

 private:
  struct Landing;
  [[nodiscard]] base::SteadyTime now() const { return timers_.clock().steady_now(); }
  [[nodiscard]] bool usable() const { return authorization_ && now() < expires_at_; }
  void begin_fetch();
  async::Task<void> fetch();
  void take(base::Expected<AccessGrant> grant);
  async::Task<base::Expected<void>> wait_for_fetch();

  AccessGrants& grants_;
  async::Timers& timers_;
  Options options_;
  std::optional<base::Secret> authorization_;
  base::SteadyTime expires_at_ = base::SteadyTime::min();
  base::SteadyTime renew_at_ = base::SteadyTime::min();
  base::SteadyTime next_fetch_ = base::SteadyTime::min();
  base::SteadyTime next_refusal_ = base::SteadyTime::min();
  base::Error last_error_{base::Errc::unavailable, "no access token has been fetched yet"};
  bool is_fetching_ = false;
  async::Condition fetched_;
  async::TaskGroup fetching_;
};

}  // namespace notify::providers
