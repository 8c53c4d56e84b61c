#pragma once
// Who holds leases, in Redis: the register of nodes, the election, epochs, and what is put back.

#include <limits>
#include <string>

#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "storage/redis/client.hpp"
#include "stores/queue.hpp"
#include "stores/redis_queue_keys.hpp"

namespace notify::stores {

/// Threading: the executor of `timers`.
/// Lifetime:  what it is given outlives this.
class RedisLeases final : public Leases, public Repairs {
 public:
  RedisLeases(redis::Client& redis, async::Timers& timers, base::Rng& rng, const QueueBooks& books);

  [[nodiscard]] async::Task<base::Expected<Pulse>> heartbeat(std::chrono::milliseconds ttl,
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
  [[nodiscard]] async::Task<base::Expected<std::optional<base::WallTime>>> swept_until(
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> set_swept_until(base::WallTime until,
                                                                  base::Deadline deadline) override;

  /// Whether a heartbeat has seen the epoch on the connection that there is now. A server that
  /// restarts or is replaced drops its connections, so until then it may be another one.
  [[nodiscard]] bool epoch_is_known() const {
    return redis_.counters().connects == connects_at_heartbeat_;
  }

  /// How far the server's clock is ahead of ours, by the last heartbeat, to within its round trip.
  [[nodiscard]] std::chrono::milliseconds server_ahead() const { return server_ahead_; }

 private:
  async::Task<base::Expected<std::optional<base::WallTime>>> beat(std::chrono::milliseconds ttl,
                                                                  base::Deadline deadline);
  struct Epochs {
    std::vector<std::string> ids;  ///< of each book
    Epoch epoch = Epoch::young;
  };
  async::Task<base::Expected<Epochs>> read_epochs(std::chrono::milliseconds ttl,
                                                  base::Deadline deadline);
  async::Task<base::Expected<std::size_t>> empty_leases_of(std::string node,
                                                           base::Deadline deadline);
  async::Task<base::Expected<std::vector<std::string>>> nodes(base::Deadline deadline);
  async::Task<base::Expected<bool>> is_alive(std::string node, base::Deadline deadline);

  redis::Client& redis_;
  async::Timers& timers_;
  base::Rng& rng_;
  const QueueBooks& books_;
  std::vector<std::string> epochs_;  ///< of each book, as the last heartbeat has seen it
  std::uint64_t epoch_number_ = 0;
  std::chrono::milliseconds server_ahead_{0};
  std::uint64_t connects_at_heartbeat_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace notify::stores
