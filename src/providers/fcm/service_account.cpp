#include "providers/fcm/service_account.hpp"

#include <algorithm>

#include "base/json_object.hpp"
#include "base/strict_json.hpp"

namespace notify::providers {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using Json = nlohmann::json;

constexpr int kDepthMax = 4;
constexpr std::chrono::seconds kAssertionLifetime = std::chrono::hours(1);

/// A field that must be there, as text.
Expected<std::string> required_text(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string() ||
      found->get_ref<const std::string&>().empty()) {
    return fail(Errc::invalid,
                std::string("has no '") + name + "': use the JSON key file of a service account");
  }
  return found->get<std::string>();
}

}  // namespace

Expected<ServiceAccount> ServiceAccount::parse(std::string_view text) {
  const auto json = base::parse_strict_json(text, kDepthMax);
  if (!json) return fail(Errc::invalid, "is no JSON: " + json.error().detail);
  if (!json->is_object()) return fail(Errc::invalid, "is no JSON object");
  if (json->value("type", Json()) != "service_account") {
    return fail(Errc::invalid, "has another 'type' than service_account");
  }
  auto pem = required_text(*json, "private_key");
  if (!pem) return fail(pem.error());
  auto key = crypto::Rs256Key::from_pem(base::Secret(std::move(*pem)));
  if (!key) return fail(Errc::invalid, "has a 'private_key' that is " + key.error().detail);
  ServiceAccount account(std::move(*key));
  const struct {
    const char* name;
    std::string& into;
  } fields[] = {{"client_email", account.client_email_},
                {"private_key_id", account.key_id_},
                {"token_uri", account.token_uri_},
                {"project_id", account.project_id_}};
  for (const auto& field : fields) {
    auto value = required_text(*json, field.name);
    if (!value) return fail(value.error());
    field.into = std::move(*value);
  }
  if (!account.token_uri_.starts_with("https://")) {
    return fail(Errc::invalid, "has a 'token_uri' that is not https://");
  }
  return account;
}

Expected<std::string> ServiceAccount::assertion(base::WallTime now) const {
  const auto issued_at = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
  base::JsonObject header;
  header.text("alg", "RS256").text("typ", "JWT").text("kid", key_id_);
  base::JsonObject claims;
  claims.text("iss", client_email_)
      .text("scope", kFcmScope)
      .text("aud", token_uri_)
      .number("iat", issued_at.count())
      .number("exp", (issued_at + kAssertionLifetime).count());
  return key_.sign_jwt(std::move(header).finish(), std::move(claims).finish());
}

}  // namespace notify::providers
