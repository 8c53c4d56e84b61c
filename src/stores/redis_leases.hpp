#pragma once
// The leases in Redis: terms, the election, epochs, and the ways back into the queue.

#include <string>

#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "storage/redis/client.hpp"
#include "stores/queue.hpp"
#include "stores/redis_queue_keys.hpp"
#include "stores/redis_standing.hpp"

namespace notify::stores {

/// Threading: the executor of `timers`.
/// Lifetime:  what it is given outlives this.
class RedisLeases final : public Leases, public Repairs {
 public:
  RedisLeases(redis::Client& redis, async::Timers& timers, base::Rng& rng, const QueueBooks& books);

  [[nodiscard]] async::Task<base::Expected<Pulse>> heartbeat(LifeSign sign,
                                                             base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> claim(std::vector<Lease> held,
                                                        base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<LeaseKey>>> mine(
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> give_back(LeaseKey key,
                                                            base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> sign_off(base::Deadline deadline) override;

  [[nodiscard]] async::Task<base::Expected<std::size_t>> take_over_dead(
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::size_t>> salvage(base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::size_t>> readmit(std::vector<QueueItem> items,
                                                                 base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<bool>> withdraw(rules::Notification notification,
                                                           base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> set_whole(std::uint64_t epoch_number,
                                                            base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> set_rebuilt(std::uint64_t epoch_number,
                                                              Rebuilt rebuilt,
                                                              base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::optional<base::WallTime>>> swept_until(
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> set_swept_until(base::WallTime until,
                                                                  base::Deadline deadline) override;

  /// As the last heartbeat has seen it.
  [[nodiscard]] const RedisStanding& standing() const { return standing_; }

 private:
  struct Seen;
  [[nodiscard]] std::vector<redis::ScriptCall> life_signs(LifeSign sign);
  [[nodiscard]] bool is_known() const { return standing_.holds_for(redis_); }
  async::Task<base::Expected<std::size_t>> put_back_leases(std::string of_node,
                                                           base::Deadline deadline);

  redis::Client& redis_;
  async::Timers& timers_;
  base::Rng& rng_;
  const QueueBooks& books_;
  RedisStanding standing_;
  std::uint64_t epoch_number_ = 0;
  std::uint64_t term_ = 0;
  std::chrono::milliseconds young_for_{0};  ///< an epoch, by the last heartbeat
};

}  // namespace notify::stores
