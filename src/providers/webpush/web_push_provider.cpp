#include "providers/webpush/web_push_provider.hpp"

#include <utility>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "providers/failure.hpp"
#include "providers/secret_file.hpp"
#include "rules/retraction.hpp"
#include "rules/web_push_answer.hpp"

namespace notify::providers {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using rules::Outcome;
using rules::OutcomeKind;
using rules::WebPushSubscription;

constexpr std::string_view kName = "the browser's push service";

/// Push services read a topic, and a collapse id may tell something: only its digest leaves. In 22
/// characters of base64url it is within the 32 of RFC 8030 §5.4.
std::string topic_of(const std::string& collapse_id) {
  const base::Digest digest = crypto::digest(collapse_id);
  return base::base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Outcome refused(const base::Error& error) {
  Outcome outcome;
  outcome.kind = OutcomeKind::rejected;
  outcome.code = "unusable subscription";
  outcome.message = error.detail;
  outcome.was_asked = false;
  return outcome;
}

}  // namespace

WebPushProvider::WebPushProvider(const config::WebPush& config, rules::OwnTexts own,
                                 VapidTokens tokens, Surroundings around)
    : config_(config),
      texts_{std::move(own), config.app_url},
      hosts_({config.allowed_hosts, config.private_hosts}),
      tokens_(std::move(tokens)),
      clock_(around.timers.clock()),
      pools_(config.origins_max, around) {}

Expected<std::unique_ptr<Provider>> WebPushProvider::create(const config::WebPush& config,
                                                            rules::OwnTexts own,
                                                            Surroundings around) {
  for (const std::string& host : config.allowed_hosts) {
    if (rules::WebPushHosts::is_entry(host)) continue;
    return fail(Errc::invalid, "webpush.allowed_hosts: '" + host +
                                   "' is no host: write it like push.example.com, *.example.com "
                                   "or push.example.com:8443");
  }
  auto key = read_es256_key("webpush.key_file", config.key_file);
  if (!key) return fail(std::move(key).error());
  auto tokens = VapidTokens::create(*std::move(key), config.subject, around.timers.clock());
  if (!tokens) return fail(std::move(tokens).error());
  return std::unique_ptr<Provider>(
      new WebPushProvider(config, std::move(own), *std::move(tokens), std::move(around)));
}

Expected<WebPushSubscription> WebPushProvider::usable(const base::Secret& token) const {
  auto subscription = rules::parse_subscription(token);
  if (!subscription) return subscription;
  if (auto flaw = hosts_.flaw_of(*subscription)) return fail(Errc::permission_denied, *flaw);
  const std::string& key = subscription->vapid_key;
  const std::string_view unpadded = std::string_view(key).substr(0, key.find_last_not_of('=') + 1);
  if (!key.empty() && unpadded != tokens_.public_key()) {
    return fail(Errc::permission_denied,
                "the subscription was made with another VAPID key than webpush.key_file");
  }
  return subscription;
}

std::optional<rules::Flaw> WebPushProvider::flaw_of(const rules::Device& device) const {
  const auto subscription = usable(device.token);
  if (subscription) return std::nullopt;
  return rules::Flaw{rules::LeftOut::unusable_token, subscription.error().detail};
}

std::string WebPushProvider::peer_of(const rules::Device& device) const {
  const auto subscription = rules::parse_subscription(device.token);
  return subscription ? subscription->origin : std::string(name());
}

Expected<http2::Request> WebPushProvider::make_request(const rules::Notification& notification,
                                                       const rules::Style& style,
                                                       const WebPushSubscription& subscription) {
  using http2::Indexing;
  const auto keys = crypto::WebPushKeys::parse(subscription.p256dh, subscription.auth);
  if (!keys) return fail(keys.error());
  const auto own_keys = crypto::OneTimeKeys::fresh();
  if (!own_keys) return fail(own_keys.error());
  auto body = crypto::encrypt_web_push(*keys, *own_keys,
                                       rules::web_push_payload(notification, style, texts_));
  if (!body) return fail(body.error());
  const auto authorization = tokens_.authorization(subscription.origin);
  if (!authorization) return fail(authorization.error());

  http2::Request request;
  request.path = subscription.path;
  request.headers.reserve(7);
  // One connection goes to one origin, so its token repeats.
  request.headers.push_back({"authorization", std::string(authorization->reveal())});
  request.headers.push_back({"content-type", "application/octet-stream"});
  request.headers.push_back({"content-encoding", "aes128gcm"});
  request.headers.push_back(
      {"ttl", rules::web_push_ttl(notification, subscription.host, clock_.now()), Indexing::never});
  request.headers.push_back({"urgency", std::string(rules::web_push_urgency(notification))});
  if (const std::string& id = rules::collapse_id_of(notification); !id.empty()) {
    request.headers.push_back({"topic", topic_of(id), Indexing::never});
  }
  request.body = *std::move(body);
  return request;
}

http2::PoolOptions WebPushProvider::pool_options(const WebPushSubscription& subscription) const {
  http2::PoolOptions options;
  options.origin = subscription.origin;
  options.tls.ca_file = config_.ca_file;
  options.reach = hosts_.may_be_private(subscription.host) ? net::Reach::any_address
                                                           : net::Reach::public_addresses;
  options.connections_max = config_.connections;
  options.streams_max = config_.streams;
  // An origin that does not answer holds so many requests and no more.
  options.waiting_max = 2 * config_.connections * config_.streams;
  return options;
}

async::Task<Outcome> WebPushProvider::send(const rules::Notification& notification,
                                           const rules::Style& style, const rules::Device& device,
                                           base::Deadline deadline) {
  const auto subscription = usable(device.token);
  if (!subscription) co_return refused(subscription.error());
  auto request = make_request(notification, style, *subscription);
  if (!request && request.error().code == Errc::internal) {
    co_return Outcome{.kind = OutcomeKind::bad_credentials,
                      .code = "no request",
                      .message = request.error().detail,
                      .was_asked = false};
  }
  if (!request) co_return refused(request.error());
  const http2::Result result =
      co_await pools_.send(pool_options(*subscription), *std::move(request), deadline);
  if (!result) {
    // Our own policy, or a name server that changed its mind: no word of the push service.
    if (result.error().error.code == Errc::permission_denied) {
      co_return refused(result.error().error);
    }
    co_return outcome_of(result.error(), kName);
  }
  co_return rules::web_push_outcome({.status = result->status,
                                     .body = result->body,
                                     .retry_after = result->header("retry-after"),
                                     .wns_error = result->header("x-wns-error-description")},
                                    clock_.now());
}

}  // namespace notify::providers
