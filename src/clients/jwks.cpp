#include "clients/jwks.hpp"

#include <algorithm>
#include <utility>

#include "base/async/with_deadline.hpp"

namespace notify::clients {

using base::Errc;
using base::Expected;
using base::fail;
using crypto::Es256PublicKey;

/// However a fetch ends, those who wait for it go on.
struct Jwks::Landing {
  Jwks& jwks;
  ~Landing() {
    jwks.is_fetching_ = false;
    jwks.fetched_.notify();
  }
};

Jwks::Jwks(KeySource& source, async::Timers& timers, Options options, async::OnEscape on_escape)
    : source_(source),
      timers_(timers),
      options_(std::move(options)),
      fetched_(timers.executor()),
      fetching_(timers.executor(), std::move(on_escape)) {}

void Jwks::warm() { begin_fetch(); }

async::Task<Expected<Es256PublicKey>> Jwks::key(std::optional<std::string> kid,
                                                base::Deadline deadline) {
  if (now() >= fresh_until_ && now() >= next_retry_) begin_fetch();
  if (!usable() && is_fetching_) {
    const auto waited = co_await async::with_deadline(timers_, deadline, wait_for_fetch());
    if (!waited) co_return fail(waited.error());
  }
  if (!usable()) co_return fail(Errc::unavailable, "there are no keys to verify tokens with");
  if (const Es256PublicKey* known = find(kid)) co_return *known;
  // Perhaps it is newer than our copy.
  if (!is_fetching_ && now() >= next_for_unknown_) {
    next_for_unknown_ = now() + options_.unknown_interval;
    begin_fetch();
  }
  if (is_fetching_) {
    const auto waited = co_await async::with_deadline(timers_, deadline, wait_for_fetch());
    if (!waited) co_return fail(waited.error());
  }
  if (const Es256PublicKey* known = find(kid)) co_return *known;
  co_return fail(Errc::unauthenticated, "the token is signed with a key that is not known");
}

const Es256PublicKey* Jwks::find(const std::optional<std::string>& kid) const {
  return usable() ? keys_->find(kid) : nullptr;
}

void Jwks::begin_fetch() {
  if (is_fetching_) return;
  is_fetching_ = true;
  if (!fetching_.spawn(fetch())) is_fetching_ = false;
}

async::Task<void> Jwks::fetch() {
  const Landing landing{*this};
  take(co_await source_.fetch(timers_.after(options_.fetch_timeout)));
}

void Jwks::take(Expected<KeySource::Document> document) {
  next_retry_ = now() + options_.retry_interval;
  auto keys = document ? crypto::JwkSet::parse(document->json)
                       : Expected<crypto::JwkSet>(fail(document.error()));
  if (!keys) {
    if (options_.on_fetched) options_.on_fetched(fail(keys.error()));
    return;
  }
  const auto age = document->max_age.value_or(options_.fresh_default);
  fresh_until_ = now() + std::clamp(age, options_.fresh_min, options_.fresh_max);
  usable_until_ = fresh_until_ + options_.stale_max;
  keys_ = std::move(*keys);
  if (options_.on_fetched) options_.on_fetched(keys_->size());
}

async::Task<Expected<void>> Jwks::wait_for_fetch() {
  co_await fetched_.wait([this] { return !is_fetching_; });
  co_return Expected<void>();
}

}  // namespace notify::clients
