#include "flows/bursts.hpp"

#include <utility>

namespace notify::flows {

async::Task<std::vector<Bursts::Joined>> Bursts::join(
    std::vector<const rules::Notification*> notifications) {
  std::vector<stores::LimitClaim> claims;
  claims.reserve(notifications.size());
  for (const rules::Notification* n : notifications) {
    rules::LimitCounter window;
    window.name = "burst:" + rules::tagged(n->user.to_string(), n->conversation->to_string());
    window.allowed = 1;
    window.window = parts_.window;
    claims.push_back({std::move(window)});
  }
  const auto taken = co_await parts_.limiter.take(claims);
  const base::WallTime now = parts_.timers.clock().now();
  std::vector<Joined> joined(taken.size());
  const base::Error* error = nullptr;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (!taken[i]) {
      error = &taken[i].error();
    } else if (taken[i]->reached) {
      joined[i].until = now + taken[i]->resets_in;
    } else {
      joined[i].opened = {std::move(claims[i]), taken[i]->counted_at};
    }
  }
  if (error != nullptr) parts_.step_failed("join", *error);
  co_return joined;
}

async::Task<void> Bursts::open(const rules::Notification& notification) {
  std::vector<const rules::Notification*> alone{&notification};
  co_await join(std::move(alone));
}

async::Task<void> Bursts::give_back(std::vector<stores::LimitReturn> opened) {
  const auto done = co_await parts_.limiter.give_back(std::move(opened));
  if (!done) parts_.step_failed("give_back", done.error());
}

}  // namespace notify::flows
