// What a shard needs to serve end users over REST.

#include <utility>

#include "app/shard.hpp"
#include "app/wiring.hpp"
#include "edges/http/version.hpp"
#include "edges/rest/openapi.hpp"

namespace notify::app {

using base::Expected;
using base::fail;

Expected<void> Shard::wire_keys() {
  auto source = make_key_source(process_.config, timers_);
  if (!source) return fail(std::move(source).error());
  key_source_ = std::move(*source);
  if (!key_source_) return {};
  jwks_ = std::make_unique<clients::Jwks>(
      *key_source_, timers_, jwks_options(process_.log, process_.metrics.rest), on_escape());
  return {};
}

/// After the methods are built: their annotations are the routes.
Expected<void> Shard::wire_rest(const edges::http::Listener& listener) {
  namespace rest = edges::rest;
  auto routes = rest::RouteTable::create(rpc_host_->methods.methods());
  if (!routes) return fail(std::move(routes).error());
  auto acceptor = listener.share(timers_.executor());
  if (!acceptor) return fail(std::move(acceptor).error());
  rest::RestApi::Options options;
  options.cors_origins = process_.config.http.cors_origins;
  options.openapi = rest::openapi_document(*routes, edges::http::this_build().version);
  options.limits = request_limiting_.get();
  options.proxies = process_.config.http.proxies;
  options.on_withheld = [log = process_.log.component("rest")](std::string_view method) {
    log.error("an answer named another user and was withheld: a bug", {{"method", method}});
  };
  rest_api_ = std::make_unique<rest::RestApi>(
      std::move(*routes),
      rest::Authenticator(jwks_.get(), jwt_policy(process_.config), process_.clock),
      std::move(options));
  rest_ = std::make_unique<rest::RestServer>(std::move(*acceptor), timers_, *rest_api_,
                                             rest_options(process_.config, process_.metrics.rest),
                                             process_.log);
  return {};
}

}  // namespace notify::app
