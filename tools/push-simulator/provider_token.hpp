#pragma once
// Apple's side of a provider token: who signed it, for which team, and how old it is.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "push-simulator/openssl_handles.hpp"

namespace notify::simulator {

enum class TokenVerdict : std::uint8_t { valid, missing, invalid, expired };

/// The port of the rules to whoever judges tokens.
class TokenChecker {
 public:
  virtual ~TokenChecker() = default;
  [[nodiscard]] virtual TokenVerdict check(std::string_view authorization, base::WallTime now) = 0;
};

struct ProviderKey {
  KeyHandle key;  ///< only its public part is used
  std::string key_id;
  std::string team_id;
};

/// Judges `authorization: bearer <jwt>`: ES256, kid, iss, iat (seconds, a number, at most one hour
/// old and not more than five minutes ahead). A signature is verified once and then remembered.
/// Source:    Apple, "Establishing a token-based connection to APNs"; RFC 7515, RFC 7518 §3.4.
/// Threading: one thread.
/// Limits:    64 tokens are remembered; more than that and all are forgotten.
class ProviderTokenChecker final : public TokenChecker {
 public:
  static constexpr std::chrono::seconds kLifetime{3600};
  static constexpr std::chrono::seconds kClockSkew{300};

  explicit ProviderTokenChecker(ProviderKey key) : key_(std::move(key)) {}
  [[nodiscard]] TokenVerdict check(std::string_view authorization, base::WallTime now) override;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  static constexpr std::size_t kRemembered = 64;

  [[nodiscard]] bool verify(std::string_view jwt, std::chrono::seconds& issued_at) const;

  ProviderKey key_;
  std::unordered_map<std::string, std::chrono::seconds, Hash, std::equal_to<>> verified_;
};

/// Reads the EC P-256 key of a PEM file (a private key, as Apple's .p8, or a public one). If the
/// file does not exist a private key is made there, so that a demo needs no other tool. Errors:
/// invalid if the file holds something else.
[[nodiscard]] base::Expected<KeyHandle> load_or_make_key(const std::filesystem::path& path);

}  // namespace notify::simulator
