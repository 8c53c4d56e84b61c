#include "flows/dead_tokens.hpp"

#include <utility>

namespace notify::flows {

using rules::OutcomeKind;

DeadTokens::DeadTokens(Parts parts, async::OnEscape on_escape)
    : parts_(std::move(parts)),
      next_(parts_.timers, [this] { report_until(now()); }),
      reports_(parts_.timers.executor(), std::move(on_escape)) {}

bool DeadTokens::is_on(std::string_view provider) const {
  const auto share = shares_.find(provider);
  return share != shares_.end() && now() < share->second.on_until;
}

bool DeadTokens::is_over(const Share& share) const {
  const std::size_t gone = share.before.gone + share.now.gone;
  const std::size_t asked = gone + share.before.accepted + share.now.accepted;
  return gone >= parts_.policy.gone_min && gone * 100 > parts_.policy.share * asked;
}

void DeadTokens::judge(std::string_view provider, rules::Outcome& outcome) {
  const bool is_gone = outcome.kind == OutcomeKind::token_gone;
  if (!is_gone && outcome.kind != OutcomeKind::accepted) return;
  const auto [found, is_new] = shares_.try_emplace(provider);
  Share& share = found->second;
  if (is_new) share.began = now();
  if (const auto age = now() - share.began; age >= parts_.policy.window) {
    share.before = age < 2 * parts_.policy.window ? share.now : Count();
    share.now = {};
    share.began = now();
  }
  ++(is_gone ? share.now.gone : share.now.accepted);
  if (is_gone && is_over(share)) share.on_until = now() + parts_.policy.window;
  const bool is_on = now() < share.on_until;
  if (std::exchange(share.was_on, is_on) != is_on) parts_.events.braked(provider, is_on);
  if (!is_on || !is_gone) return;
  outcome.kind = OutcomeKind::bad_credentials;
  outcome.message +=
      "; but so many tokens are refused that this service's own configuration is suspected, and no "
      "token is dropped";
}

void DeadTokens::report(std::string_view provider, clients::InvalidToken token) {
  constexpr std::size_t kReportsMax = 1000;
  if (waiting_.size() + reports_.size() >= kReportsMax) return;
  const base::SteadyTime until = now() + parts_.policy.report_delay;
  waiting_.push_back({until, provider, std::move(token)});
  if (waiting_.size() == 1) next_.arm(base::Deadline(until));
}

void DeadTokens::report_until(base::SteadyTime until) {
  while (!waiting_.empty() && waiting_.front().until <= until) {
    Waiting one = std::move(waiting_.front());
    waiting_.pop_front();
    if (!is_on(one.provider)) reports_.spawn(send(std::move(one.token)));
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
  report_until(base::SteadyTime::max());
  co_await reports_.join();
}

}  // namespace notify::flows
