#include "edges/rest/rest_api.hpp"

#include <algorithm>
#include <iterator>

namespace notify::edges::rest {
namespace {

using base::Errc;

constexpr std::string_view kOpenapiPath = "/openapi.json";

Reply method_not_allowed(std::string allowed) {
  Reply reply = http_error(405, "METHOD_NOT_ALLOWED", "here only: " + allowed);
  reply.headers.emplace_back("Allow", std::move(allowed));
  return reply;
}

bool is_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type == "application/json";
}

std::optional<Reply> refuse_body(const Route& route, const Head& head) {
  if (!head.has_body) return std::nullopt;
  if (route.body == BodyIs::none) {
    return http_error(400, "UNEXPECTED_BODY", "a request to this method has no body");
  }
  if (!is_json(head.content_type)) {
    return http_error(415, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json");
  }
  const bool is_plain = head.content_encoding.empty() || head.content_encoding == "identity";
  if (!is_plain) return http_error(415, "UNSUPPORTED_ENCODING", "the body must not be compressed");
  return std::nullopt;
}

Reply refused(const flows::Refusal& refusal) {
  const base::Error& error = refusal.error;
  if (error.code == Errc::unauthenticated) return unauthorized(error.detail);
  if (error.code == Errc::overloaded) return to_reply(refusal);
  // Keys are unavailable: answer 503, not 401; the token may be valid.
  return to_reply(flows::refuse({Errc::unavailable, error.detail}).error());
}

Reply with(Headers headers, Reply reply) {
  reply.headers.insert(reply.headers.end(), std::make_move_iterator(headers.begin()),
                       std::make_move_iterator(headers.end()));
  return reply;
}

}  // namespace

std::string_view client_address(const Head& head, std::size_t proxies) {
  std::string_view rest = head.forwarded_for;
  std::string_view address = head.peer;
  for (std::size_t i = 0; i < proxies && !rest.empty(); ++i) {
    const std::size_t comma = rest.rfind(',');
    address = comma == rest.npos ? rest : rest.substr(comma + 1);
    rest = comma == rest.npos ? "" : rest.substr(0, comma);
  }
  while (address.starts_with(' ')) address.remove_prefix(1);
  while (address.ends_with(' ')) address.remove_suffix(1);
  return address;
}

bool RestApi::is_allowed_origin(std::string_view origin) const {
  const auto& allowed = options_.cors_origins;
  return !origin.empty() && std::find(allowed.begin(), allowed.end(), origin) != allowed.end();
}

void RestApi::add_cors(std::string_view origin, Reply& reply) const {
  if (options_.cors_origins.empty()) return;
  reply.headers.emplace_back("Vary", "Origin");
  if (!is_allowed_origin(origin)) return;
  reply.headers.emplace_back("Access-Control-Allow-Origin", origin);
  reply.headers.emplace_back("Access-Control-Expose-Headers",
                             "ETag, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
                             "Retry-After, WWW-Authenticate");
}

Reply RestApi::options_reply(const Resource& resource, const Head& head) const {
  Reply reply{204, {}, {{"Allow", resource.allowed()}}};
  if (head.requested_method.empty() || !is_allowed_origin(head.origin)) return reply;
  reply.headers.emplace_back("Access-Control-Allow-Methods", resource.allowed());
  reply.headers.emplace_back("Access-Control-Allow-Headers",
                             "Authorization, Content-Type, If-Match");
  reply.headers.emplace_back("Access-Control-Max-Age", "600");
  return reply;
}

async::Task<RestApi::Admission> RestApi::admit(const Head& head, base::Deadline deadline) {
  const auto target = parse_target(head.target);
  if (!target) co_return http_error(400, "INVALID_TARGET", "the path or the query is malformed");
  if (head.target.substr(0, head.target.find('?')) == kOpenapiPath) {
    if (head.method != "GET" && head.method != "HEAD") co_return method_not_allowed("GET, HEAD");
    co_return Reply{200, options_.openapi, {}};
  }
  auto match = routes_.find(target->segments);
  if (!match) {
    co_return http_error(404, "NO_SUCH_PATH", "there is no such path: see /openapi.json");
  }
  if (head.method == "OPTIONS") co_return options_reply(*match->resource, head);
  const Route* route = match->resource->route(head.method);
  if (route == nullptr) co_return method_not_allowed(match->resource->allowed());
  const std::string address(client_address(head, options_.proxies));
  const auto user = co_await authenticator_.user_of(head.authorization, address, deadline);
  Headers headers;
  if (options_.limits != nullptr) {
    // Who guesses tokens is counted too, by address.
    const auto standing =
        co_await options_.limits->take(user ? std::optional(*user) : std::nullopt, address);
    if (standing) headers = quota_headers(*standing);
    if (standing && standing->refusal) {
      co_return with(std::move(headers), to_reply(*standing->refusal));
    }
  }
  if (!user) co_return with(std::move(headers), refused(user.error()));
  if (auto refusal = refuse_body(*route, head)) {
    co_return with(std::move(headers), std::move(*refusal));
  }
  Admitted admitted{route,
                    {std::move(match->variables), target->query, {}, std::nullopt, *user},
                    std::move(headers)};
  const bool changes = head.method == "PATCH" || head.method == "PUT";
  if (changes && !head.if_match.empty()) admitted.parts.if_match = head.if_match;
  co_return admitted;
}

async::Task<Reply> RestApi::call(const Admitted& admitted, base::Deadline deadline) const {
  co_return with(admitted.headers, co_await answer(admitted, deadline));
}

async::Task<Reply> RestApi::answer(const Admitted& admitted, base::Deadline deadline) const {
  const Route* route = admitted.route;
  const RequestParts& parts = admitted.parts;
  const auto request = to_request(*route, parts);
  if (!request) co_return to_reply(request.error());
  // Each user is a lane: one who sends much takes nothing from the others.
  RpcCall call{{{}, "user:" + parts.user.to_string()}, deadline, parts.user};
  const auto answer = co_await route->method->call(**request, std::move(call));
  if (!answer) co_return to_reply(answer.error());
  if (!is_only_about(**answer, parts.user)) {
    if (options_.on_withheld) options_.on_withheld(route->method->descriptor->full_name());
    co_return to_reply(flows::refuse({Errc::not_found, "it is another user's"}).error());
  }
  auto json = to_json(**answer);
  if (!json) co_return to_reply(flows::refuse({Errc::internal, "no JSON can say it"}).error());
  Reply reply{200, std::move(*json), {}};
  if (auto etag = etag_of(**answer)) reply.headers.emplace_back("ETag", std::move(*etag));
  co_return reply;
}

}  // namespace notify::edges::rest
