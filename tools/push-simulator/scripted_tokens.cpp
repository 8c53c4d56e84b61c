#include "push-simulator/scripted_tokens.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using nlohmann::json;

constexpr std::string_view kMark = "script:";
constexpr std::string_view kHexMark = "7363726970743a";  // the same in hex, as APNs' tokens are

std::optional<std::string> from_hex(std::string_view hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const std::size_t high = kDigits.find(hex[i]);
    const std::size_t low = kDigits.find(hex[i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::optional<std::string> script_text(std::string_view token) {
  if (token.starts_with(kHexMark)) return from_hex(token.substr(kHexMark.size()));
  if (token.starts_with(kMark)) return base::base64url_decode(token.substr(kMark.size()));
  return std::nullopt;
}

}  // namespace

bool is_script(std::string_view token) {
  return token.starts_with(kMark) || token.starts_with(kHexMark);
}

Expected<Fault> parse_script(FaultTarget target, std::string_view token) {
  const auto text = script_text(token);
  if (!text) return fail(Errc::invalid, "the token is no script in base64url or hex");
  json value = json::parse(*text, nullptr, false);
  if (!value.is_object()) return fail(Errc::invalid, "the script is no JSON object");
  value.erase("id");
  if (value.contains("target") || value.contains("token") || value.contains("method")) {
    return fail(Errc::invalid, "a script has no 'target', 'token' or 'method': it is in a token");
  }
  value["target"] = name(target);
  return parse_fault(value);
}

std::optional<Fault> ScriptedTokens::take(FaultTarget target, std::string_view token) {
  if (!is_script(token)) return std::nullopt;
  auto fault = parse_script(target, token);
  if (!fault) {
    Fault refusal;
    refusal.target = target;
    refusal.status = 400;
    refusal.reason = "BadScript";
    return refusal;
  }
  if (fault->left == Fault::kUnlimited) return *std::move(fault);
  if (used_.size() >= kMaxTokens) used_.clear();
  if (used_[std::string(token)]++ >= fault->left) return std::nullopt;
  return *std::move(fault);
}

}  // namespace notify::simulator
