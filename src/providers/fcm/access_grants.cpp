#include "providers/fcm/access_grants.hpp"

#include <algorithm>
#include <utility>

#include "base/strict_json.hpp"

namespace notify::providers {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using Json = nlohmann::json;

constexpr std::size_t kTokenMax = 4096;
constexpr std::int64_t kLifetimeMax = 24 * 3600;
constexpr std::string_view kMetadataPath =
    "/computeMetadata/v1/instance/service-accounts/default/token?scopes=";

/// It goes into a header: visible ASCII only.
bool is_header_value(std::string_view text) {
  return !text.empty() && text.size() <= kTokenMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

/// `invalid_grant` and its like; everything else is left out.
std::string clean_code(std::string_view code) {
  constexpr std::size_t kLengthMax = 40;
  std::string clean;
  for (const char c : code.substr(0, kLengthMax)) {
    if ((c >= 'a' && c <= 'z') || c == '_') clean += c;
  }
  return clean;
}

/// The member of this name if it is a text, else an empty one.
std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

base::Unexpected<base::Error> refusal(int status, const Json& body) {
  const std::string code = clean_code(text_of(body, "error"));
  std::string detail = "the token server answers " + std::to_string(status);
  if (!code.empty()) detail += ' ' + code;
  const bool is_about_us = status >= 400 && status < 500 && status != 408 && status != 429;
  if (!is_about_us) return fail(Errc::unavailable, detail);
  return fail(Errc::unauthenticated,
              detail +
                  ": check fcm.credentials_file, this machine's clock, and whether the key was "
                  "deleted");
}

http2::PoolOptions pool_options(const http1::Url& url, std::string ca_file) {
  http2::PoolOptions options;
  options.origin = "https://" + url.authority;
  options.tls.ca_file = std::move(ca_file);
  options.connections_max = 1;
  options.opens_gate = [](int) { return true; };
  return options;
}

}  // namespace

Expected<AccessGrant> parse_access_grant(int status, std::string_view body) {
  constexpr int kDepthMax = 4;
  auto json = base::parse_strict_json(body, kDepthMax);
  const Json root = json && json->is_object() ? std::move(*json) : Json::object();
  if (status != 200) return refusal(status, root);
  std::string token = text_of(root, "access_token");
  const auto lifetime = root.find("expires_in");
  const bool has_lifetime = lifetime != root.end() && lifetime->is_number_integer();
  const std::int64_t expires_in = has_lifetime ? lifetime->get<std::int64_t>() : 0;
  if (!is_header_value(token) || expires_in <= 0) {
    return fail(Errc::corrupt, "the token server's answer holds no access token");
  }
  return AccessGrant{base::Secret(std::move(token)),
                     std::chrono::seconds(std::min(expires_in, kLifetimeMax))};
}

Expected<std::unique_ptr<AccessGrants>> ServiceAccountGrants::create(ServiceAccount account,
                                                                     std::string ca_file,
                                                                     async::Timers& timers,
                                                                     base::Rng& rng,
                                                                     async::OnEscape on_escape) {
  const auto url = http1::parse_url(account.token_uri());
  if (!url) return fail(Errc::invalid, "token_uri: " + url.error().detail);
  auto pool = http2::Pool::create(pool_options(*url, std::move(ca_file)), timers, rng,
                                  std::move(on_escape));
  if (!pool) return fail(pool.error());
  return std::unique_ptr<AccessGrants>(
      new ServiceAccountGrants(std::move(account), url->target, std::move(*pool), timers.clock()));
}

ServiceAccountGrants::ServiceAccountGrants(ServiceAccount account, std::string path,
                                           std::unique_ptr<http2::Pool> pool,
                                           const base::Clock& clock)
    : account_(std::move(account)), path_(std::move(path)), pool_(std::move(pool)), clock_(clock) {}

async::Task<Expected<AccessGrant>> ServiceAccountGrants::fetch(base::Deadline deadline) {
  const auto assertion = account_.assertion(clock_.now());
  if (!assertion) co_return fail(assertion.error());
  http2::Request request;
  request.path = path_;
  request.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
  // RFC 7523 §2.1; an assertion has only characters that need no escape.
  request.body =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + *assertion;
  const http2::Result result = co_await pool_->send(std::move(request), deadline);
  if (!result) co_return fail(result.error().error);
  co_return parse_access_grant(result->status, result->body);
}

Expected<std::unique_ptr<AccessGrants>> MetadataGrants::create(std::string_view server,
                                                               async::Timers& timers) {
  std::string text(server);
  text.append(kMetadataPath).append(kFcmScope);
  auto url = http1::parse_url(text);
  if (!url) return fail(url.error());
  return std::unique_ptr<AccessGrants>(new MetadataGrants(std::move(*url), timers));
}

async::Task<Expected<AccessGrant>> MetadataGrants::fetch(base::Deadline deadline) {
  const auto response =
      co_await http1::get(timers_, url_, nullptr, {}, deadline, {{"metadata-flavor", "Google"}});
  if (!response) co_return fail(response.error());
  if (response->header("metadata-flavor") != "Google") {
    co_return fail(Errc::unavailable, "something else than Google's metadata server answers");
  }
  co_return parse_access_grant(response->status, response->body);
}

}  // namespace notify::providers
