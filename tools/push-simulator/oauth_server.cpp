#include "push-simulator/oauth_server.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "push-simulator/certificates.hpp"
#include "push-simulator/files.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using nlohmann::json;

constexpr std::string_view kGrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::string_view kMessagingScope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr std::string_view kPlatformScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr int kRsaBits = 2048;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// application/x-www-form-urlencoded; nullopt if the field is not there or is malformed.
std::optional<std::string> form_field(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const std::string_view pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(pair.size() + 1, form.size()));
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos || pair.substr(0, equals) != name) continue;
    std::string value;
    for (std::size_t i = equals + 1; i < pair.size(); ++i) {
      if (pair[i] == '+') {
        value += ' ';
      } else if (pair[i] != '%') {
        value += pair[i];
      } else {
        const bool whole = i + 2 < pair.size();
        const int high = whole ? hex_digit(pair[i + 1]) : -1;
        const int low = whole ? hex_digit(pair[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        value += static_cast<char>(high * 16 + low);
        i += 2;
      }
    }
    return value;
  }
  return std::nullopt;
}

json decode_assertion_part(std::string_view part) {
  const std::optional<std::string> text = base::base64url_decode(part);
  if (!text) return json::object();
  json value = json::parse(*text, nullptr, false);
  return value.is_object() ? value : json::object();
}

bool is_claim(const json& object, const char* key, std::string_view expected) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() &&
         found->get_ref<const std::string&>() == expected;
}

/// A time in whole seconds, as a number.
std::optional<std::chrono::seconds> time_of(const json& claims, const char* key) {
  const auto found = claims.find(key);
  if (found == claims.end() || !found->is_number_integer()) return std::nullopt;
  const auto seconds = found->get<std::int64_t>();
  if (seconds < 0 || seconds > 253'402'300'799) return std::nullopt;  // the year 9999
  return std::chrono::seconds(seconds);
}

bool has_scope(const json& claims) {
  const auto found = claims.find("scope");
  if (found == claims.end() || !found->is_string()) return false;
  const std::string scopes = ' ' + found->get<std::string>() + ' ';
  return scopes.find(fmt::format(" {} ", kMessagingScope)) != scopes.npos ||
         scopes.find(fmt::format(" {} ", kPlatformScope)) != scopes.npos;
}

OauthServer::Answer refuse(std::string_view error, std::string_view description) {
  const json body{{"error", error}, {"error_description", description}};
  return {.status = 400, .error = error, .body = body.dump()};
}

}  // namespace

Expected<std::string> OauthServer::key_file() const {
  const auto pem = private_key_pem(*key_);
  if (!pem) return fail(pem.error());
  const json file{{"type", "service_account"},           {"project_id", names_.project_id},
                  {"private_key_id", names_.key_id},     {"private_key", *pem},
                  {"client_email", names_.client_email}, {"token_uri", names_.token_uri}};
  return file.dump(2) + "\n";
}

OauthServer::Answer OauthServer::grant(std::string_view form, base::WallTime now) {
  if (form_field(form, "grant_type") != kGrantType) {
    return refuse("unsupported_grant_type", "Invalid grant_type");
  }
  const auto assertion = form_field(form, "assertion");
  if (!assertion) return refuse("invalid_request", "Missing required parameter: assertion");
  if (const char* fault = fault_of(*assertion, now)) return refuse("invalid_grant", fault);
  if (expiries_.size() >= kRemembered) expiries_.clear();
  std::string token = "ya29.";
  for (int i = 0; i < 8; ++i) fmt::format_to(std::back_inserter(token), "{:016x}", rng_.next());
  const json body{
      {"access_token", token}, {"expires_in", token_lifetime_.count()}, {"token_type", "Bearer"}};
  expiries_.insert_or_assign(std::move(token), now + token_lifetime_);
  return {.status = 200, .error = {}, .body = body.dump()};
}

const char* OauthServer::fault_of(std::string_view jwt, base::WallTime now) const {
  const std::size_t first = jwt.find('.');
  const std::size_t second = first == jwt.npos ? first : jwt.find('.', first + 1);
  if (second == jwt.npos) return "Bad Request";
  const json header = decode_assertion_part(jwt.substr(0, first));
  const json claims = decode_assertion_part(jwt.substr(first + 1, second - first - 1));
  if (!is_claim(header, "alg", "RS256") || !is_claim(header, "kid", names_.key_id)) {
    return "Invalid JWT Signature.";
  }
  const auto signature = base::base64url_decode(jwt.substr(second + 1));
  if (!signature || !signature_matches(jwt.substr(0, second), *signature)) {
    return "Invalid JWT Signature.";
  }
  if (!is_claim(claims, "iss", names_.client_email)) return "Invalid grant: account not found";
  if (!is_claim(claims, "aud", names_.token_uri)) return "Invalid JWT: Failed audience check.";
  if (!has_scope(claims)) return "Invalid OAuth scope or ID token audience provided.";
  const auto issued = time_of(claims, "iat");
  const auto expires = time_of(claims, "exp");
  const auto since_1970 = now.time_since_epoch();
  const bool is_short_lived = issued && expires && *expires - *issued <= kAssertionLifetime &&
                              *expires > since_1970 && *issued <= since_1970 + kClockSkew;
  if (!is_short_lived) {
    return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
           "timeframe. Check your iat and exp values in the JWT claim.";
  }
  return nullptr;
}

bool OauthServer::signature_matches(std::string_view text, std::string_view signature) const {
  const DigestHandle digest(EVP_MD_CTX_new());
  const bool ok =
      digest &&
      EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) == 1;
  ERR_clear_error();
  return ok;
}

BearerVerdict OauthServer::check(std::string_view authorization, base::WallTime now) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.empty()) return BearerVerdict::missing;
  if (authorization.size() <= kScheme.size()) return BearerVerdict::invalid;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {  // schemes have no case (RFC 9110 §11.1)
    if ((authorization[i] | 0x20) != kScheme[i]) return BearerVerdict::invalid;
  }
  const auto known = expiries_.find(std::string(authorization.substr(kScheme.size())));
  if (known == expiries_.end()) return BearerVerdict::invalid;
  return now < known->second ? BearerVerdict::valid : BearerVerdict::expired;
}

Expected<KeyHandle> load_or_make_rsa_key(const std::filesystem::path& path) {
  auto pem = read_file(path);
  if (!pem && pem.error().code == Errc::not_found) {
    KeyHandle key(EVP_RSA_gen(kRsaBits));
    if (!key) return fail(Errc::internal, openssl_error());
    const auto text = private_key_pem(*key);
    if (!text) return fail(text.error());
    if (auto written = replace_file(path, *text, FileMode::owner_only); !written) {
      return fail(written.error());
    }
    return key;
  }
  if (!pem) return fail(pem.error());
  const BioHandle bio(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    return fail(Errc::invalid, path.string() + " holds no RSA key in PEM");
  }
  return key;
}

}  // namespace notify::simulator
