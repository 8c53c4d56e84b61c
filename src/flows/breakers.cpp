#include "flows/breakers.hpp"

#include <algorithm>
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
      on_open_(std::move(on_open)),
      since_(breakers.now()) {
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
  breakers_.end(*this);
  const bool is_trouble = outcome.kind == OutcomeKind::unknown ||
                          outcome.kind == OutcomeKind::not_processed || outcome.is_of_server;
  if (!outcome.was_asked) {
    retry_after_ = breakers_.parking(server_);
  } else if (is_trouble) {
    breakers_.was_trouble(server_, is_probe_);
    retry_after_ = breakers_.parking(server_);
  } else {
    breakers_.went_well(server_);
  }
  if (outcome.retry_after) {
    retry_after_ = std::max<milliseconds>(retry_after_, *outcome.retry_after);
  }
  breakers_.call_next(server_);
}

Breakers::Server& Breakers::server_of(std::string_view provider, const std::string& name) {
  const auto known = servers_.find(name);
  if (known != servers_.end()) return known->second;
  if (servers_.size() >= kServersMax) {
    const auto idle = std::find_if(servers_.begin(), servers_.end(),
                                   [](const auto& each) { return each.second.is_idle(); });
    if (idle != servers_.end()) {
      if (idle->second.open_until) parts_.changed(idle->second.provider, false);
      servers_.erase(idle);
    }
  }
  Server& fresh = servers_[name];
  fresh.provider = provider;
  fresh.watch.emplace(parts_.timers, [this, &fresh] { watch(fresh); });
  return fresh;
}

void Breakers::enter(Turn& turn) {
  Server& server = turn.server_;
  if (server.open_until) {
    if (server.is_probed || now() < *server.open_until) return refuse(turn);
    server.is_probed = turn.is_probe_ = true;
    return begin(turn);
  }
  if (server.under_way.size() < server.limit && server.waiting == 0) return begin(turn);
  if (is_full(server) && age_of_line(server) >= parts_.policy.moving) return refuse(turn);
  std::list<Turn*>& line = server.lines[turn.line_];
  turn.place_ = line.insert(line.end(), &turn);
  ++server.waiting;
  ++waiting_;
  turn.state_ = Turn::State::waits;
  turn.patience_.emplace(parts_.timers, [this, &turn] {
    leave_line(turn);
    refuse(turn);
  });
  turn.patience_->arm(parts_.timers.after(parts_.policy.wait_max));
}

void Breakers::begin(Turn& turn) {
  Server& server = turn.server_;
  if (server.under_way.empty()) {
    server.silent_since = now();
    server.watch->arm(parts_.timers.after(parts_.policy.silence_max));
  }
  turn.place_ = server.under_way.insert(server.under_way.end(), &turn);
  turn.tell(Turn::State::granted);
}

/// If a probe was not asked, another one may be.
void Breakers::end(Turn& turn) {
  turn.server_.under_way.erase(turn.place_);
  if (turn.is_probe_) turn.server_.is_probed = false;
  turn.state_ = Turn::State::over;
}

void Breakers::refuse(Turn& turn) {
  turn.retry_after_ = parking(turn.server_);
  turn.tell(Turn::State::refused);
}

void Breakers::watch(Server& server) {
  if (server.under_way.empty() || server.open_until) return;
  const base::SteadyTime until = server.silent_since + parts_.policy.silence_max;
  if (now() < until) return server.watch->arm(base::Deadline(until));
  if (server.under_way.size() < parts_.policy.troubles_max) {
    return server.watch->arm(parts_.timers.after(parts_.policy.silence_max / 4));
  }
  server.troubled_since = server.troubled_since.value_or(server.silent_since);
  open(server);
}

void Breakers::leave_line(Turn& turn) {
  turn.server_.lines[turn.line_].erase(turn.place_);
  --turn.server_.waiting;
  --waiting_;
}

void Breakers::call_next(Server& server) {
  if (server.open_until) return;
  for (std::list<Turn*>& line : server.lines) {
    while (!line.empty() && server.under_way.size() < server.limit) {
      Turn& turn = *line.front();
      leave_line(turn);
      begin(turn);
    }
  }
}

void Breakers::went_well(Server& server) {
  server.silent_since = now();
  server.troubles = 0;
  server.troubled_since.reset();
  if (std::exchange(server.open_until, std::nullopt)) {
    server.limit = kLimitMin;
    parts_.changed(server.provider, false);
    watch(server);
  }
  // A limit that nobody comes near to says nothing of what the server could bear.
  const bool is_used = 2 * (server.under_way.size() + 1) >= server.limit;
  if (is_used) server.limit = std::min(server.limit + 1, parts_.policy.share);
}

void Breakers::was_trouble(Server& server, bool was_probe) {
  ++server.troubles;
  server.troubled_since = server.troubled_since.value_or(now());
  server.limit = std::max(server.limit / 2, std::min(kLimitMin, parts_.policy.share));
  const bool is_too_much = !server.open_until && server.troubles >= parts_.policy.troubles_max;
  if (was_probe || is_too_much) open(server);
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
  if (was_open) return;
  for (const Turn* turn : server.under_way) turn->on_open_();
  parts_.changed(server.provider, true);
}

std::optional<milliseconds> Breakers::open_for(const std::string& server) const {
  const auto known = servers_.find(server);
  if (known == servers_.end() || !known->second.open_until) return std::nullopt;
  return parking(known->second);
}

std::chrono::nanoseconds Breakers::age_of_line(const Server& server) const {
  base::SteadyTime first = now();
  for (const std::list<Turn*>& line : server.lines) {
    if (!line.empty()) first = std::min(first, line.front()->since_);
  }
  return now() - first;
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
    return is_full(server) && age_of_line(server) < parts_.policy.moving;
  });
}

}  // namespace notify::flows
