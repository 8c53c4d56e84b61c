#include "net/http2/pool_plan.hpp"

#include <algorithm>

namespace notify::http2 {

bool PoolPlan::has_room(const Connection& connection) {
  if (connection.state != State::open) return false;
  const std::size_t limit = connection.gate_open ? connection.streams_max
                                                 : std::min<std::size_t>(connection.streams_max, 1);
  return connection.streams < limit;
}

std::optional<ConnectionId> PoolPlan::take_stream(std::optional<ConnectionId> avoid) {
  const auto better = [avoid](const auto& left, const auto& right) {
    const bool left_avoided = left.first == avoid;
    if (left_avoided != (right.first == avoid)) return !left_avoided;
    return left.second.streams < right.second.streams;
  };
  auto best = connections_.end();
  for (auto place = connections_.begin(); place != connections_.end(); ++place) {
    if (!has_room(place->second)) continue;
    if (best == connections_.end() || better(*place, *best)) best = place;
  }
  if (best == connections_.end()) return std::nullopt;
  ++best->second.streams;
  return best->first;
}

void PoolPlan::stream_ended(ConnectionId id, bool opens_gate) {
  const auto place = connections_.find(id);
  if (place == connections_.end()) return;
  --place->second.streams;
  if (!opens_gate) return;
  place->second.gate_open = true;
  failures_ = 0;
}

bool PoolPlan::should_connect(base::SteadyTime now) const {
  if (now < retry_at_ || connections_.size() >= 2 * options_.connections_max) return false;
  std::size_t usable = 0;
  for (const auto& [id, connection] : connections_) {
    if (connection.state == State::draining) continue;
    if (connection.state == State::connecting || !connection.gate_open || has_room(connection)) {
      return false;
    }
    ++usable;
  }
  return usable < options_.connections_max;
}

bool PoolPlan::is_hopeless(base::SteadyTime now) const {
  if (failures_ < options_.failures_to_fail_fast || now >= retry_at_) return false;
  return std::none_of(connections_.begin(), connections_.end(),
                      [](const auto& entry) { return entry.second.state != State::draining; });
}

ConnectionId PoolPlan::connecting() {
  connections_[++last_id_] = Connection{};
  return last_id_;
}

void PoolPlan::connected(ConnectionId id, std::size_t streams_max) {
  Connection& connection = connections_.at(id);
  connection.state = State::open;
  connection.streams_max = streams_max;
}

void PoolPlan::connect_failed(ConnectionId id, base::SteadyTime now) {
  if (connections_.erase(id) != 0) attempt_failed(now);
}

void PoolPlan::limit_changed(ConnectionId id, std::size_t streams_max) {
  const auto place = connections_.find(id);
  if (place != connections_.end()) place->second.streams_max = streams_max;
}

void PoolPlan::draining(ConnectionId id, base::SteadyTime now) {
  const auto place = connections_.find(id);
  if (place == connections_.end() || place->second.state == State::draining) return;
  place->second.state = State::draining;
  if (!place->second.gate_open) attempt_failed(now);
}

void PoolPlan::closed(ConnectionId id, base::SteadyTime now) {
  draining(id, now);
  connections_.erase(id);
}

std::size_t PoolPlan::streams_open() const {
  std::size_t sum = 0;
  for (const auto& [id, connection] : connections_) sum += connection.streams;
  return sum;
}

std::size_t PoolPlan::connections_open() const {
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& entry) { return entry.second.state != State::connecting; }));
}

void PoolPlan::attempt_failed(base::SteadyTime now) {
  ++failures_;
  // Doubled each time, then half of it fixed and half of it drawn, so that nodes that lost the
  // same server do not come back together.
  const std::uint32_t doublings = std::min(failures_ - 1, 16U);
  const std::chrono::milliseconds doubled = options_.backoff_min * (1LL << doublings);
  const auto longest = std::min(options_.backoff_max, doubled);
  const auto drawn = rng_.below(static_cast<std::uint32_t>(longest.count() / 2 + 1));
  retry_at_ = now + longest / 2 + std::chrono::milliseconds(static_cast<std::int64_t>(drawn));
}

}  // namespace notify::http2
