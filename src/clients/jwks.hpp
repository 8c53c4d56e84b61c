#pragma once
// The keys of end users' tokens, kept between fetches. A new key is found when the first token
// names it; a key that is withdrawn is forgotten with the next fetch; while the publisher cannot be
// reached, the last keys serve on for a bounded time, and nothing is ever taken unverified.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/async/condition.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "clients/key_source.hpp"
#include "crypto/jwk_set.hpp"

namespace notify::clients {

/// Threading: the executor of `timers`.
/// Lifetime:  `source` and `timers` outlive this; stop() completes before destruction.
/// Limits:    one fetch at a time; for names of keys that are not known one in `unknown_interval`,
///            whatever callers bring; after a failure the next not before `retry_interval`.
class Jwks {
 public:
  struct Options {
    // What the publisher says of freshness is obeyed within these bounds.
    std::chrono::seconds fresh_min = std::chrono::minutes(5);
    std::chrono::seconds fresh_max = std::chrono::hours(24);
    std::chrono::seconds fresh_default = std::chrono::hours(1);
    /// How long keys that are not fresh serve on while no fetch succeeds.
    std::chrono::seconds stale_max = std::chrono::hours(6);
    std::chrono::seconds unknown_interval{30};
    std::chrono::seconds retry_interval{5};
    std::chrono::milliseconds fetch_timeout{5'000};
    /// Called after each fetch: how many keys there are, or why there are no new ones.
    std::function<void(const base::Expected<std::size_t>& keys)> on_fetched;
  };

  Jwks(KeySource& source, async::Timers& timers, Options options, async::OnEscape on_escape);

  /// Begins the first fetch, so that the first token need not wait for it.
  void warm();

  /// The key that a token names. May wait for a fetch, at most until `deadline`.
  /// Errors: unauthenticated if there is no such key; unavailable if there are no keys that may
  ///         still be used; timed_out.
  /// Cancel: throws operation_aborted; the fetch goes on for the others.
  [[nodiscard]] async::Task<base::Expected<crypto::Es256PublicKey>> key(
      std::optional<std::string> kid, base::Deadline deadline);

  [[nodiscard]] async::Task<void> stop() { return fetching_.stop(); }

 private:
  struct Landing;
  [[nodiscard]] base::SteadyTime now() const { return timers_.clock().steady_now(); }
  [[nodiscard]] bool usable() const { return keys_ && now() < usable_until_; }
  [[nodiscard]] const crypto::Es256PublicKey* find(const std::optional<std::string>& kid) const;
  void begin_fetch();
  async::Task<void> fetch();
  void take(base::Expected<KeySource::Document> document);
  async::Task<base::Expected<void>> wait_for_fetch();

  KeySource& source_;
  async::Timers& timers_;
  Options options_;
  std::optional<crypto::JwkSet> keys_;
  base::SteadyTime fresh_until_ = base::SteadyTime::min();
  base::SteadyTime usable_until_ = base::SteadyTime::min();
  base::SteadyTime next_retry_ = base::SteadyTime::min();
  base::SteadyTime next_for_unknown_ = base::SteadyTime::min();
  bool is_fetching_ = false;
  async::Condition fetched_;
  async::TaskGroup fetching_;
};

}  // namespace notify::clients
