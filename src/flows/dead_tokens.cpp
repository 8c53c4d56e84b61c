#include "flows/dead_tokens.hpp"

#include <algorithm>
#include <utility>

namespace notify::flows {

using rules::OutcomeKind;

DeadTokens::DeadTokens(Parts parts, async::OnEscape on_escape)
    : parts_(std::move(parts)),
      next_(parts_.timers, [this] { report_due(); }),
      reports_(parts_.timers.executor(), std::move(on_escape)) {}

DeadTokens::Share& DeadTokens::share_of(const Source& source) {
  constexpr std::size_t kPeersMax = 1000;
  const auto known = shares_.find(source.peer);
  if (known == shares_.end()) {
    if (shares_.size() >= kPeersMax) {
      const auto oldest = std::min_element(
          shares_.begin(), shares_.end(),
          [](const auto& a, const auto& b) { return a.second.began < b.second.began; });
      if (oldest->second.was_on) parts_.events.braked(oldest->second.provider, false);
      shares_.erase(oldest);
    }
    Share& fresh = shares_[source.peer];
    fresh.provider = source.provider;
    fresh.began = now();
    return fresh;
  }
  Share& share = known->second;
  if (const auto age = now() - share.began; age >= parts_.policy.window) {
    share.before = age < 2 * parts_.policy.window ? std::move(share.now) : Count();
    share.now = {};
    share.began = now();
  }
  return share;
}

bool DeadTokens::is_on(const std::string& peer) const {
  const auto share = shares_.find(peer);
  return share != shares_.end() && now() < share->second.on_until;
}

bool DeadTokens::is_over(const Share& share) const {
  const std::size_t gone = share.before.gone.size() + share.now.gone.size();
  const std::size_t asked = gone + share.before.accepted + share.now.accepted;
  return gone >= parts_.policy.gone_min && gone * 100 > parts_.policy.share * asked;
}

void DeadTokens::judge(Source source, base::DeviceId device, rules::Outcome& outcome) {
  constexpr std::size_t kDevicesMax = 1000;
  const bool is_gone = outcome.kind == OutcomeKind::token_gone;
  if (!is_gone && outcome.kind != OutcomeKind::accepted) return;
  Share& share = share_of(source);
  if (!is_gone) {
    ++share.now.accepted;
  } else if (share.now.gone.size() < kDevicesMax && !share.before.gone.contains(device)) {
    share.now.gone.insert(device);
  }
  if (is_gone && is_over(share)) share.on_until = now() + parts_.policy.window;
  const bool is_on = now() < share.on_until;
  if (std::exchange(share.was_on, is_on) != is_on) parts_.events.braked(source.provider, is_on);
  if (!is_on || !is_gone) return;
  outcome.kind = OutcomeKind::bad_credentials;
  outcome.message +=
      "; but so many tokens are refused that this service's own configuration is suspected, and no "
      "token is dropped";
}

void DeadTokens::report(const std::string& peer, clients::InvalidToken token) {
  constexpr std::size_t kReportsMax = 1000;
  if (waiting_.size() + reports_.size() >= kReportsMax) return;
  const bool waits = std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& one) {
    return one.token.device == token.device;
  });
  if (waits) return;
  const base::SteadyTime until = now() + parts_.policy.report_delay;
  waiting_.push_back({until, peer, std::move(token)});
  if (waiting_.size() == 1) next_.arm(base::Deadline(until));
}

void DeadTokens::report_due() {
  while (!waiting_.empty() && waiting_.front().until <= now()) {
    Waiting one = std::move(waiting_.front());
    waiting_.pop_front();
    if (!is_on(one.peer)) reports_.spawn(send(std::move(one.token)));
  }
  if (!waiting_.empty()) next_.arm(base::Deadline(waiting_.front().until));
}

async::Task<void> DeadTokens::send(clients::InvalidToken token) {
  constexpr int kTriesMax = 3;
  for (int tries = 1; tries <= kTriesMax; ++tries) {
    const base::Expected<void> reported =
        co_await parts_.devices.report_invalid_token(token, parts_.timers.after(parts_.timeout));
    if (reported) co_return;
    parts_.events.step_failed("report_invalid_token", reported.error());
    if (stopping_) co_return;
    if (tries < kTriesMax) co_await parts_.timers.sleep_for(std::chrono::seconds(tries));
  }
}

async::Task<void> DeadTokens::stop() {
  stopping_ = true;
  next_.disarm();
  waiting_.clear();
  co_await reports_.join();
}

}  // namespace notify::flows
