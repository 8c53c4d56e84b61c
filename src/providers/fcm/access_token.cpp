#include "providers/fcm/access_token.hpp"

#include <algorithm>
#include <utility>

#include "base/async/with_deadline.hpp"

namespace notify::providers {

using base::Expected;
using base::fail;

/// However a fetch ends, those who wait for it go on.
struct AccessToken::Landing {
  AccessToken& token;
  ~Landing() {
    token.is_fetching_ = false;
    token.fetched_.notify();
  }
};

AccessToken::AccessToken(AccessGrants& grants, async::Timers& timers, Options options,
                         async::OnEscape on_escape)
    : grants_(grants),
      timers_(timers),
      options_(options),
      fetched_(timers.executor()),
      fetching_(timers.executor(), std::move(on_escape)) {}

const base::Secret* AccessToken::ready() {
  if (now() >= renew_at_) begin_fetch();
  return usable() ? &*authorization_ : nullptr;
}

async::Task<Expected<base::Secret>> AccessToken::wait(base::Deadline deadline) {
  if (const base::Secret* authorization = ready()) co_return *authorization;
  if (is_fetching_) {
    const auto waited = co_await async::with_deadline(timers_, deadline, wait_for_fetch());
    if (!waited) co_return fail(waited.error());
  }
  if (usable()) co_return *authorization_;
  co_return fail(last_error_);
}

void AccessToken::refused(const base::Secret& authorization) {
  if (!authorization_ || *authorization_ != authorization || now() < next_refusal_) return;
  next_refusal_ = now() + options_.refusal_interval;
  authorization_.reset();
  renew_at_ = now();
}

void AccessToken::begin_fetch() {
  if (is_fetching_ || now() < next_fetch_) return;
  is_fetching_ = true;
  if (!fetching_.spawn(fetch())) is_fetching_ = false;
}

async::Task<void> AccessToken::fetch() {
  const Landing landing{*this};
  take(co_await grants_.fetch(timers_.after(options_.fetch_timeout)));
}

void AccessToken::take(Expected<AccessGrant> grant) {
  if (!grant) {
    last_error_ = std::move(grant).error();
    next_fetch_ = now() + options_.retry_interval;
    return;
  }
  std::string authorization = "Bearer ";
  authorization += grant->token.reveal();
  authorization_ = base::Secret(std::move(authorization));
  expires_at_ = now() + grant->expires_in;
  // The metadata server may hand out one that has not long to live.
  renew_at_ = now() + std::max(grant->expires_in - options_.early, grant->expires_in / 2);
}

async::Task<Expected<void>> AccessToken::wait_for_fetch() {
  co_await fetched_.wait([this] { return !is_fetching_; });
  co_return Expected<void>();
}

}  // namespace notify::providers
