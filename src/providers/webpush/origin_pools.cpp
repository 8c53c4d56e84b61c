#include "providers/webpush/origin_pools.hpp"

#include <utility>

namespace notify::providers {
namespace {

using async::Task;
using base::Errc;
using http2::Processed;

/// An idle pool has no requests: its connections need no time to end.
constexpr std::chrono::seconds kGoodbye{1};

void add(http2::PoolCounters& sum, const http2::PoolCounters& one) {
  sum.traffic.bytes_in += one.traffic.bytes_in;
  sum.traffic.bytes_out += one.traffic.bytes_out;
  sum.traffic.goaways += one.traffic.goaways;
  sum.traffic.write_calls += one.traffic.write_calls;
  sum.traffic.timeouts += one.traffic.timeouts;
  sum.connections_opened += one.connections_opened;
  sum.connect_failures += one.connect_failures;
  sum.requests += one.requests;
  sum.refused += one.refused;
  sum.resent += one.resent;
}

}  // namespace

struct OriginPools::Entry {
  std::string origin;
  std::unique_ptr<http2::Pool> pool;
  std::size_t sends = 0;  ///< under way
  base::SteadyTime used_at;
};

/// Keeps a pool while a request is in it.
class OriginPools::Use {
 public:
  Use(Entry& entry, const base::Clock& clock) : entry_(entry), clock_(clock) { ++entry_.sends; }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    --entry_.sends;
    entry_.used_at = clock_.steady_now();
  }

 private:
  Entry& entry_;
  const base::Clock& clock_;
};

OriginPools::OriginPools(std::size_t origins_max, Surroundings around)
    : origins_max_(origins_max),
      around_(std::move(around)),
      closing_(around_.timers.executor(), around_.on_escape) {}

OriginPools::~OriginPools() = default;

Task<http2::Result> OriginPools::send(http2::PoolOptions options, http2::Request request,
                                      base::Deadline deadline) {
  auto entry = entry_of(std::move(options));
  if (!entry) co_return base::Unexpected<http2::Failure>(std::move(entry).error());
  const Use use(**entry, around_.timers.clock());
  co_return co_await (*entry)->pool->send(std::move(request), deadline);
}

base::Expected<OriginPools::Entry*, http2::Failure> OriginPools::entry_of(
    http2::PoolOptions options) {
  if (stopping_) {
    return http2::failure({Errc::unavailable, "the pools are stopping"}, Processed::no);
  }
  const auto known = by_origin_.find(options.origin);
  if (known != by_origin_.end()) {
    pools_.splice(pools_.begin(), pools_, known->second);
    close_idle();
    return pools_.front().get();
  }
  close_idle();
  if (!make_room()) {
    return http2::failure({Errc::overloaded, "requests to too many push services are under way"},
                          Processed::no);
  }
  std::string origin = options.origin;
  auto pool =
      http2::Pool::create(std::move(options), around_.timers, around_.rng, around_.on_escape);
  if (!pool) return http2::failure(std::move(pool).error(), Processed::no);
  pools_.push_front(std::make_unique<Entry>(Entry{.origin = origin, .pool = std::move(*pool)}));
  by_origin_.emplace(std::move(origin), pools_.begin());
  return pools_.front().get();
}

bool OriginPools::make_room() {
  if (pools_.size() < origins_max_) return true;
  for (auto place = pools_.end(); place != pools_.begin();) {
    --place;
    if ((*place)->sends != 0) continue;
    retire(place);
    return true;
  }
  return false;
}

void OriginPools::close_idle() {
  const base::SteadyTime now = around_.timers.clock().steady_now();
  // The first place was just used, or is about to be.
  while (pools_.size() > 1) {
    const auto last = std::prev(pools_.end());
    if ((*last)->sends != 0 || now - (*last)->used_at < kIdleMax) return;
    retire(last);
  }
}

void OriginPools::retire(Entries::iterator place) {
  by_origin_.erase((*place)->origin);
  std::unique_ptr<Entry> entry = std::move(*place);
  pools_.erase(place);
  add(closed_, entry->pool->counters());
  closing_.spawn(close(std::move(entry)));
}

Task<void> OriginPools::close(std::unique_ptr<Entry> entry) {
  co_await entry->pool->stop(around_.timers.after(kGoodbye));
}

http2::PoolCounters OriginPools::counters() const {
  http2::PoolCounters sum = closed_;
  for (const auto& entry : pools_) {
    const http2::PoolCounters one = entry->pool->counters();
    add(sum, one);
    sum.connections_open += one.connections_open;
    sum.streams_open += one.streams_open;
    sum.waiting += one.waiting;
  }
  return sum;
}

Task<void> OriginPools::stop(base::Deadline deadline) {
  stopping_ = true;
  for (const auto& entry : pools_) co_await entry->pool->stop(deadline);
  co_await closing_.join();
}

}  // namespace notify::providers
