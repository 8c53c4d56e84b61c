#include "providers/apns/apns_provider.hpp"

#include <utility>

#include "providers/failure.hpp"
#include "providers/secret_file.hpp"
#include "rules/apns_answer.hpp"

namespace notify::providers {
namespace {

using rules::Outcome;
using rules::OutcomeKind;

rules::Environment environment_of(const config::Apns& config) {
  const bool is_sandbox = config.environment == config::ApnsEnvironment::by_endpoint
                              ? config.asks_sandbox()
                              : config.environment == config::ApnsEnvironment::sandbox;
  return is_sandbox ? rules::Environment::sandbox : rules::Environment::production;
}

/// Whether APNs takes nothing more on this connection, but may on another.
bool ends_connection(const http2::Response& response) {
  if (response.status == 200) return false;
  const auto answer = rules::parse_apns_answer(response.status, response.body, {}, {});
  return rules::apns_meaning(answer).leads_to == rules::Consequence::reconnect;
}

}  // namespace

ApnsProvider::ApnsProvider(const config::Apns& config, rules::OwnTexts own,
                           const base::Clock& clock, std::unique_ptr<http2::Pool> pool,
                           crypto::Es256Key key)
    : config_(config),
      own_(std::move(own)),
      environment_(environment_of(config)),
      clock_(clock),
      pool_(std::move(pool)),
      token_(std::move(key), ApnsCredentials{config.key_id, config.team_id}, clock) {}

base::Expected<std::unique_ptr<Provider>> ApnsProvider::create(const config::Apns& config,
                                                               rules::OwnTexts own,
                                                               Surroundings around) {
  http2::PoolOptions options;
  options.origin = config.endpoint.reveal();
  options.tls.ca_file = config.ca_file;
  options.connections_max = config.connections;
  options.streams_max = config.streams;
  options.ends_connection = ends_connection;
  auto pool = http2::Pool::create(std::move(options), around.timers, around.rng, around.on_escape);
  if (!pool) return base::fail(std::move(pool).error());
  auto key = read_es256_key("apns.key_file", config.key_file);
  if (!key) return base::fail(std::move(key).error());
  return std::unique_ptr<Provider>(new ApnsProvider(config, std::move(own), around.timers.clock(),
                                                    std::move(*pool), std::move(*key)));
}

http2::Request ApnsProvider::make_request(const rules::Notification& notification,
                                          const rules::Device& device, std::string path,
                                          const base::Secret& authorization) const {
  using http2::Indexing;
  rules::ApnsHeaders h = rules::apns_headers(notification, device.id);
  http2::Request request;
  request.path = std::move(path);
  request.headers.reserve(8);
  // Apple keeps a small HPACK table and says which fields belong into it: what repeats.
  request.headers.push_back(
      {"authorization", std::string(authorization.reveal()), Indexing::never});
  request.headers.push_back({"apns-topic", device.app_id.empty() ? config_.topic : device.app_id});
  request.headers.push_back({"apns-push-type", std::string(h.push_type)});
  request.headers.push_back({"apns-priority", std::string(h.priority)});
  request.headers.push_back({"apns-id", std::move(h.id), Indexing::never});
  request.headers.push_back({"apns-expiration", std::move(h.expiration), Indexing::never});
  if (!h.collapse_id.empty()) {
    request.headers.push_back({"apns-collapse-id", std::move(h.collapse_id), Indexing::never});
  }
  return request;
}

async::Task<Outcome> ApnsProvider::send(const rules::Notification& notification,
                                        const rules::Style& style, const rules::Device& device,
                                        base::Deadline deadline) {
  std::string path = rules::apns_path(device.token);
  if (path.empty()) {
    co_return Outcome{.kind = OutcomeKind::token_gone,
                      .code = "malformed token",
                      .message = "the token is not hexadecimal, as Apple's tokens are",
                      .invalid_since = clock_.now()};
  }
  const base::Expected<base::Secret> authorization = token_.authorization();
  if (!authorization) {
    co_return Outcome{.kind = OutcomeKind::bad_credentials,
                      .code = "no provider token",
                      .message = authorization.error().detail};
  }
  http2::Request request = make_request(notification, device, std::move(path), *authorization);
  request.body = rules::apns_payload(notification, style, own_);
  const http2::Result result = co_await pool_->send(std::move(request), deadline);
  if (!result) co_return outcome_of(result.error(), "APNs");
  const rules::ApnsAnswer answer = rules::parse_apns_answer(
      result->status, result->body, result->header("retry-after"), clock_.now());
  co_return rules::apns_outcome(answer, device);
}

}  // namespace notify::providers
