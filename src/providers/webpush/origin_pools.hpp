#pragma once
// A pool of connections for each push service that browsers name, and never more than so many.

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/http2/pool.hpp"
#include "providers/surroundings.hpp"

namespace notify::providers {

/// Threading: on the executor of `around.timers` only.
/// Lifetime:  `around` outlives this; stop() completes before destruction, so does every send().
/// Limits:    `origins_max` origins. One that nothing is sent to gives way to another, that which
///            was not used for longest. One that was not used for kIdleMax is closed.
class OriginPools {
 public:
  static constexpr std::chrono::minutes kIdleMax{10};

  OriginPools(std::size_t origins_max, Surroundings around);
  ~OriginPools();

  /// Sends through the pool of `options.origin`, which is made with `options` if there is none.
  /// Errors: Errc::overloaded if all origins are in use; else as Pool::create() and Pool::send().
  [[nodiscard]] async::Task<http2::Result> send(http2::PoolOptions options, http2::Request request,
                                                base::Deadline deadline);

  /// The sum of all pools, with those that are closed by now.
  [[nodiscard]] http2::PoolCounters counters() const;
  [[nodiscard]] std::size_t size() const { return pools_.size(); }

  /// As Pool::stop(), of all.
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline);

 private:
  struct Entry;
  class Use;
  using Entries = std::list<std::unique_ptr<Entry>>;  // the last used is in front

  [[nodiscard]] base::Expected<Entry*, http2::Failure> entry_of(http2::PoolOptions options);
  [[nodiscard]] bool make_room();
  void close_idle();
  void retire(Entries::iterator place);
  async::Task<void> close(std::unique_ptr<Entry> entry);

  std::size_t origins_max_;
  Surroundings around_;
  Entries pools_;
  std::unordered_map<std::string, Entries::iterator> by_origin_;
  http2::PoolCounters closed_;  ///< what closed pools have counted
  bool stopping_ = false;
  async::TaskGroup closing_;
};

}  // namespace notify::providers
