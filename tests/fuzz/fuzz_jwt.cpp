// What an end user brings to be let in, and what the identity service publishes: a token and
// a set of keys, byte by byte.

#include "crypto/jwk_set.hpp"
#include "crypto/jwt.hpp"
#include "edges/rest/target.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace notify;

/// The key of RFC 7515 A.3, for which the fuzzer can make no signature.
const crypto::JwkSet& known_keys() {
  static const crypto::JwkSet kKeys =
      crypto::JwkSet::parse(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k",)"
                            R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})")
          .value();
  return kKeys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto keys = crypto::JwkSet::parse(text)) {
    fuzz::require(keys->size() > 0, "a set that was taken has keys");
  }
  if (const auto token = crypto::Jwt::parse(text)) {
    const auto user = token->verify(*known_keys().find(std::nullopt),
                                    {"joe", "notifications", std::chrono::seconds(30)},
                                    base::WallTime(std::chrono::seconds(1'300'819'000)));
    fuzz::require(!user.has_value(), "nobody gets in without the key");
    fuzz::require(user.error().detail.size() < 100, "a refusal quotes nothing");
  }
  if (const auto target = edges::rest::parse_target(text)) {
    fuzz::require(!target->segments.empty(), "a path has a segment");
  }
  return 0;
}
