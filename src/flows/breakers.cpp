#include "flows/breakers.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "rules/retry.hpp"

namespace notify::flows {

using rules::OutcomeKind;
using std::chrono::milliseconds;

Breakers::Turn::Turn(Breakers& breakers, std::string_view provider, const std::string& server,
                     rules::Priority priority, std::function<void()> on_open)
    : breakers_(breakers),
      server_(breakers.server_of(provider, server)),
      line_(static_cast<std::size_t>(priority)),
      on_open_(std::move(on_open)) {
  breakers_.enter(*this);
}

Breakers::Turn::~Turn() {
  if (state_ == State::waits) breakers_.leave_line(*this);
  if (state_ != State::granted) return;
  breakers_.end(*this);
  breakers_.call_next(server_);
}

async::Task<void> Breakers::Turn::wait() {
  if (!must_wait()) co_return;
  async::OneShot<async::Unit> told(breakers_.parts_.timers.executor());
  told_ = &told;
  co_await told.wait();
}

void Breakers::Turn::tell(State state) {
  state_ = state;
  patience_.reset();
  if (auto* told = std::exchange(told_, nullptr)) told->complete({});
}

void Breakers::Turn::answered(const rules::Outcome& outcome) {
  const bool was_probe = server_.probe == this;
  breakers_.end(*this);
  const bool is_trouble = outcome.kind == OutcomeKind::unknown ||
                          outcome.kind == OutcomeKind::not_processed || outcome.is_of_server;
  if (outcome.was_asked) {
    if (!is_trouble) {
      breakers_.went_well(server_);
    } else if (!is_stale_) {
      breakers_.was_trouble(server_, *this, was_probe);
    }
  }
  if (outcome.kind == OutcomeKind::not_processed) {
    retry_after_ = breakers_.parking(server_);
    if (outcome.retry_after) {
      retry_after_ = std::max<milliseconds>(retry_after_, *outcome.retry_after);
    }
  }
  breakers_.call_next(server_);
}

Breakers::Server& Breakers::server_of(std::string_view provider, const std::string& name) {
  const auto known = servers_.find(name);
  if (known != servers_.end()) return known->second;
  if (servers_.size() >= kServersMax) forget_one();
  Server& fresh = servers_[name];
  fresh.provider = provider;
  fresh.limit = std::min(kLimitFirst, parts_.policy.share);
  fresh.watch.emplace(parts_.timers, [this, &fresh] { watch(fresh); });
  return fresh;
}

void Breakers::forget_one() {
  const auto rank = [](const Server& server) {
    return std::tuple(!server.is_idle(), server.open_until.has_value(), server.used_at);
  };
  const auto least = std::min_element(
      servers_.begin(), servers_.end(),
      [&](const auto& a, const auto& b) { return rank(a.second) < rank(b.second); });
  const Server& server = least->second;
  if (!server.is_idle()) return;
  if (server.open_until) parts_.changed(server.provider, false);
  servers_.erase(least);
}

void Breakers::enter(Turn& turn) {
  Server& server = turn.server_;
  server.used_at = now();
  if (server.open_until) {
    if (server.probe != nullptr || now() < *server.open_until) return refuse(turn);
    server.probe = &turn;
    return begin(turn);
  }
  if (server.under_way.size() < server.limit && server.waiting() == 0) return begin(turn);
  if (is_full(server) && !moves(server) && !make_room_for(turn)) return refuse(turn);
  if (server.waiting() == 0) server.moved_at = now();
  std::list<Turn*>& line = server.lines[turn.line_];
  turn.place_ = line.insert(line.end(), &turn);
  ++waiting_;
  turn.state_ = Turn::State::waits;
  turn.patience_.emplace(parts_.timers, [this, &turn] {
    leave_line(turn);
    refuse(turn);
  });
  turn.patience_->arm(parts_.timers.after(parts_.policy.wait_max));
}

bool Breakers::make_room_for(const Turn& turn) {
  auto& lines = turn.server_.lines;
  for (std::size_t line = lines.size(); line-- > turn.line_ + 1;) {
    if (lines[line].empty()) continue;
    Turn& last = *lines[line].back();
    leave_line(last);
    refuse(last);
    return true;
  }
  return false;
}

void Breakers::begin(Turn& turn) {
  Server& server = turn.server_;
  if (server.under_way.empty()) server.watch->arm(parts_.timers.after(parts_.policy.silence_max));
  turn.place_ = server.under_way.insert(server.under_way.end(), &turn);
  turn.tell(Turn::State::granted);
}

/// If a probe was not asked, another one may be.
void Breakers::end(Turn& turn) {
  Server& server = turn.server_;
  (turn.is_stale_ ? server.stale : server.under_way).erase(turn.place_);
  if (server.probe == &turn) server.probe = nullptr;
  turn.state_ = Turn::State::over;
}

void Breakers::refuse(Turn& turn) {
  turn.retry_after_ = parking(turn.server_);
  turn.tell(Turn::State::refused);
}

void Breakers::watch(Server& server) {
  if (server.under_way.empty() || server.open_until) return;
  if (!is_silent(server)) {
    return server.watch->arm(parts_.timers.after(parts_.policy.silence_max / 4));
  }
  server.troubled_since = server.troubled_since.value_or(now() - parts_.policy.silence_max);
  open(server);
}

bool Breakers::is_silent(const Server& server) const {
  const base::SteadyTime before = now() - parts_.policy.silence_max;
  if (server.answered_at > before) return false;
  const auto old = std::count_if(
      server.under_way.begin(), server.under_way.end(),
      [before](const Turn* turn) { return turn->asked_at_ && *turn->asked_at_ <= before; });
  return static_cast<std::size_t>(old) >= parts_.policy.troubles_max;
}

void Breakers::leave_line(Turn& turn) {
  turn.server_.lines[turn.line_].erase(turn.place_);
  --waiting_;
}

void Breakers::call_next(Server& server) {
  if (server.open_until) return;
  for (std::list<Turn*>& line : server.lines) {
    while (!line.empty() && server.under_way.size() < server.limit) {
      Turn& turn = *line.front();
      leave_line(turn);
      server.moved_at = now();
      begin(turn);
    }
  }
}

void Breakers::went_well(Server& server) {
  server.answered_at = now();
  server.troubles = 0;
  server.troubled_since.reset();
  if (std::exchange(server.open_until, std::nullopt)) {
    server.probe = nullptr;
    server.limit = std::min(kLimitMin, parts_.policy.share);
    parts_.changed(server.provider, false);
    watch(server);
  }
  // A limit that nobody comes near to says nothing of what the server could bear.
  const bool is_used = 2 * (server.under_way.size() + 1) >= server.limit;
  if (is_used) server.limit = std::min(server.limit + 1, parts_.policy.share);
}

/// Requests that fail together, as those of one connection do, are one trouble.
void Breakers::was_trouble(Server& server, const Turn& turn, bool was_probe) {
  if (was_probe) return open(server);
  if (server.open_until || (server.troubles > 0 && turn.asked_at_ <= server.last_trouble)) return;
  ++server.troubles;
  server.last_trouble = now();
  server.troubled_since = server.troubled_since.value_or(now());
  server.limit = std::max(server.limit / 2, std::min(kLimitMin, parts_.policy.share));
  if (server.troubles >= parts_.policy.troubles_max) open(server);
}

void Breakers::open(Server& server) {
  const bool was_open = server.open_until.has_value();
  server.open_until = now() + parking(server);
  for (std::list<Turn*>& line : server.lines) {
    while (!line.empty()) {
      Turn& turn = *line.front();
      leave_line(turn);
      refuse(turn);
    }
  }
  for (Turn* turn : server.under_way) {
    turn->is_stale_ = true;
    turn->on_open_();
  }
  server.stale.splice(server.stale.end(), server.under_way);
  if (!was_open) parts_.changed(server.provider, true);
}

std::optional<milliseconds> Breakers::open_for(const std::string& server) const {
  const auto known = servers_.find(server);
  if (known == servers_.end() || !known->second.open_until) return std::nullopt;
  return parking(known->second);
}

milliseconds Breakers::parking(const Server& server) const {
  const auto outage =
      server.troubled_since ? now() - *server.troubled_since : std::chrono::nanoseconds(0);
  milliseconds wait = rules::plan_parking(outage, parts_.rng);
  if (server.open_until && now() < *server.open_until) {
    wait = std::max(wait, std::chrono::ceil<milliseconds>(*server.open_until - now()));
  }
  return wait;
}

bool Breakers::is_congested() const {
  if (waiting_ == 0) return false;
  return std::any_of(servers_.begin(), servers_.end(), [this](const auto& each) {
    const Server& server = each.second;
    return server.waiting() > 0 && is_full(server) && moves(server);
  });
}

}  // namespace notify::flows
