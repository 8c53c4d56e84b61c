#include "providers/fcm/fcm_provider.hpp"

#include <algorithm>
#include <utility>

#include "providers/failure.hpp"
#include "providers/secret_file.hpp"
#include "rules/fcm.hpp"

namespace notify::providers {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using rules::Outcome;
using rules::OutcomeKind;

http2::PoolOptions pool_options(const config::Fcm& config) {
  http2::PoolOptions options;
  options.origin = config.endpoint.reveal();
  options.tls.ca_file = config.ca_file;
  options.connections_max = config.connections;
  options.streams_max = config.streams;
  // Unlike Apple, Google lets a new connection carry many requests at once.
  options.opens_gate = [](int) { return true; };
  return options;
}

Expected<ServiceAccount> read_account(const std::filesystem::path& path) {
  constexpr std::string_view kSetting = "fcm.credentials_file";
  const auto json = read_secret_file(kSetting, path);
  if (!json) return fail(json.error());
  auto account = ServiceAccount::parse(json->reveal());
  if (!account) {
    return fail(Errc::invalid,
                std::string(kSetting) + ' ' + path.string() + ' ' + account.error().detail);
  }
  return account;
}

/// Nothing was sent, for want of an access token.
Outcome without_token(const base::Error& error) {
  const bool is_refused = error.code == Errc::unauthenticated || error.code == Errc::internal;
  return {.kind = is_refused ? OutcomeKind::bad_credentials : OutcomeKind::not_processed,
          .code = "no access token",
          .message = error.detail};
}

Outcome over_quota(std::chrono::nanoseconds wait) {
  return {.kind = OutcomeKind::not_processed,
          .code = "fcm quota",
          .message = "fcm.messages_per_minute is used up",
          .retry_after = std::chrono::ceil<std::chrono::seconds>(wait),
          .was_asked = false};
}

}  // namespace

Expected<FcmProvider::Parts> FcmProvider::make_parts(const config::Fcm& config,
                                                     const Surroundings& around) {
  Parts parts;
  auto pool =
      http2::Pool::create(pool_options(config), around.timers, around.rng, around.on_escape);
  if (!pool) return fail(std::move(pool).error());
  parts.pool = std::move(*pool);
  parts.project_id = config.project_id;
  Expected<std::unique_ptr<AccessGrants>> grants = std::unique_ptr<AccessGrants>();
  if (config.metadata_server) {
    grants = MetadataGrants::create(MetadataGrants::kServer, around.timers);
  } else {
    auto account = read_account(config.credentials_file);
    if (!account) return fail(std::move(account).error());
    if (parts.project_id.empty()) parts.project_id = account->project_id();
    grants = ServiceAccountGrants::create(std::move(*account), config.ca_file, around.timers,
                                          around.rng, around.on_escape);
  }
  if (!grants) return fail(Errc::invalid, "fcm.credentials_file: " + grants.error().detail);
  parts.grants = std::move(*grants);
  return parts;
}

Expected<std::unique_ptr<Provider>> FcmProvider::create(const config::Fcm& config,
                                                        std::size_t workers, rules::OwnTexts own,
                                                        Surroundings around) {
  auto parts = make_parts(config, around);
  if (!parts) return fail(std::move(parts).error());
  return std::unique_ptr<Provider>(
      new FcmProvider(config, workers, std::move(own), around, std::move(*parts)));
}

FcmProvider::FcmProvider(const config::Fcm& config, std::size_t workers, rules::OwnTexts own,
                         const Surroundings& around, Parts parts)
    : request_timeout_(config.request_timeout),
      own_(std::move(own)),
      timers_(around.timers),
      path_("/v1/projects/" + parts.project_id + "/messages:send"),
      pool_(std::move(parts.pool)),
      grants_(std::move(parts.grants)),
      token_(*grants_, around.timers, {}, around.on_escape),
      quota_(std::max<std::size_t>(config.messages_per_minute / workers, 1)) {}

/// The token is written as JSON text: what is no visible ASCII cannot be one.
std::optional<rules::Flaw> FcmProvider::flaw_of(const rules::Device& device) const {
  const std::string_view token = device.token.reveal();
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
  if (std::all_of(token.begin(), token.end(), is_visible)) return std::nullopt;
  return rules::Flaw{rules::LeftOut::not_understood,
                     "its token has characters that no registration token of FCM has"};
}

async::Task<Outcome> FcmProvider::send(const rules::Notification& notification,
                                       const rules::Style& style, const rules::Device& device,
                                       base::Deadline deadline) {
  const base::SteadyTime now = timers_.clock().steady_now();
  // Longer waits are in the queue: here they would take the room of other providers.
  constexpr std::chrono::nanoseconds kPatience = std::chrono::milliseconds(200);
  const SendQuota::Turn turn = quota_.take(now, std::min(deadline.left(now) / 2, kPatience));
  if (!turn.taken) co_return over_quota(turn.wait);
  if (turn.wait.count() > 0) co_await timers_.sleep_for(turn.wait);
  const base::WallTime sent_at = timers_.clock().now();
  Outcome outcome =
      co_await exchange(rules::fcm_body(notification, style, device, own_, sent_at), deadline);
  // FCM does not say since when: a registration after this request is another one.
  if (outcome.kind == OutcomeKind::token_gone) outcome.invalid_since = sent_at;
  co_return outcome;
}

async::Task<Outcome> FcmProvider::exchange(std::string body, base::Deadline deadline) {
  for (bool is_repeat = false;; is_repeat = true) {
    const Expected<base::Secret> authorization = co_await this->authorization(deadline);
    if (!authorization) co_return without_token(authorization.error());
    const http2::Result result = co_await pool_->send(make_request(body, *authorization), deadline);
    if (!result) co_return outcome_of(result.error(), "FCM");
    const rules::FcmAnswer answer = rules::parse_fcm_answer(
        result->status, result->body, result->header("retry-after"), timers_.clock().now());
    if (is_repeat || !rules::refuses_access_token(answer)) co_return rules::fcm_outcome(answer);
    token_.refused(*authorization);
  }
}

async::Task<Expected<base::Secret>> FcmProvider::authorization(base::Deadline deadline) {
  if (const base::Secret* ready = token_.ready()) co_return *ready;
  co_return co_await token_.wait(deadline);
}

http2::Request FcmProvider::make_request(std::string body,
                                         const base::Secret& authorization) const {
  http2::Request request;
  request.path = path_;
  // The same for an hour, and a kilobyte long: it belongs into this connection's HPACK table.
  request.headers.push_back({"authorization", std::string(authorization.reveal())});
  request.headers.push_back({"content-type", "application/json"});
  request.body = std::move(body);
  return request;
}

async::Task<void> FcmProvider::stop(base::Deadline deadline) {
  co_await token_.stop();
  co_await grants_->stop(deadline);
  co_await pool_->stop(deadline);
}

}  // namespace notify::providers
