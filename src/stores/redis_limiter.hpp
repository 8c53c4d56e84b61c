#pragma once
// The counters of rate limits in Redis: `ratelimit:user.1m:{<id>}`, a string that lives as long as
// its window. One script counts for all who ask at the same time.

#include "base/async/batcher.hpp"
#include "base/async/timers.hpp"
#include "storage/redis/client.hpp"
#include "stores/limiter.hpp"

namespace notify::stores {

/// Threading: the executor of `timers`.
/// Lifetime:  `redis` and `timers` outlive this; stop() completes before destruction.
/// Errors:    unavailable at once while there is no connection: nobody waits for a count.
class RedisLimiter final : public Limiter {
 public:
  struct Options {
    std::size_t batch_max = 256;  ///< operations in one script, which blocks Redis while it runs
    std::size_t waiting_max = 20'000;
    std::chrono::milliseconds batch_interval{2};
    std::chrono::milliseconds timeout{250};
  };

  RedisLimiter(redis::Client& redis, async::Timers& timers, Options options,
               const async::OnEscape& on_escape);

  [[nodiscard]] async::Task<std::vector<base::Expected<LimitTaken>>> take(
      std::vector<LimitClaim> claims) override {
    return takes_.submit(std::move(claims), {});
  }
  [[nodiscard]] async::Task<base::Expected<void>> give_back(
      std::vector<LimitReturn> returns) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<LimitStanding>>> look(
      LimitClaim claim) override;

  /// Sends what waits; refuses what comes after.
  [[nodiscard]] async::Task<void> stop() { return takes_.stop(); }

 private:
  using Results = std::vector<base::Expected<LimitTaken>>;

  async::Task<Results> take_batch(std::vector<LimitClaim> batch);

  redis::Client& redis_;
  async::Timers& timers_;
  Options options_;
  async::Batcher<LimitClaim, LimitTaken> takes_;
};

}  // namespace notify::stores
