#include "crypto/jwt.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "crypto/jwk_set.hpp"
#include "unit/crypto/test_keys.hpp"

namespace notify::crypto {
namespace {

using namespace crypto_test;
using namespace std::chrono_literals;

constexpr const char* kUser = "018f3c2a-0000-4000-8000-0000000000aa";
const base::WallTime kNow(std::chrono::seconds(1'790'000'000));

struct JwtTest : testing::Test {
  const Key key = make_ec_key("P-256");
  const Es256Key signer = std::move(Es256Key::from_pem(to_pem(key)).value());
  const Es256PublicKey verifier =
      Es256PublicKey::from_coordinates(coordinate(key, "qx"), coordinate(key, "qy")).value();
  const JwtPolicy policy{"https://id.whispr.example", "notifications", 30s};

  std::string header = R"({"alg":"ES256","kid":"k1"})";

  /// Good claims; `more` comes after them, and `without` is left out.
  static std::string claims(const std::string& more = {}, const std::string& without = {}) {
    const std::pair<std::string, std::string> all[] = {{"iss", R"("https://id.whispr.example")"},
                                                       {"aud", R"("notifications")"},
                                                       {"exp", "1790000060"},
                                                       {"sub", '"' + std::string(kUser) + '"'}};
    std::string text;
    for (const auto& [name, value] : all) {
      if (name != without) text += (text.empty() ? "\"" : ",\"") + name + "\":" + value;
    }
    return "{" + text + more + "}";
  }
  /// Why it is refused; empty if it is taken.
  std::string refusal_of(const std::string& token) const {
    const auto parsed = Jwt::parse(token);
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, base::Errc::unauthenticated);
      return parsed.error().detail;
    }
    const auto user = parsed->verify(verifier, policy, kNow);
    if (user) {
      EXPECT_EQ(user->to_string(), kUser);
      return "";
    }
    EXPECT_EQ(user.error().code, base::Errc::unauthenticated);
    return user.error().detail;
  }
  std::string with_claims(const std::string& json) const {
    return refusal_of(signer.sign_jwt(header, json).value());
  }
  std::string with_header(const std::string& json) const {
    return refusal_of(signer.sign_jwt(json, claims()).value());
  }
};

TEST(Es256PublicKey, VerifiesTheExampleOfRfc7515) {  // appendix A.3
  const auto key = Es256PublicKey::from_coordinates(
      base::base64url_decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value(),
      base::base64url_decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value());
  ASSERT_TRUE(key) << key.error().detail;
  const std::string text =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
      "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const std::string signature =
      base::base64url_decode(
          "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
          .value();
  EXPECT_TRUE(key->verifies(text, signature));
  EXPECT_FALSE(key->verifies(text + "x", signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string changed = signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(key->verifies(text, changed)) << i;
  }
}

TEST(Es256PublicKey, RefusesNumbersThatNoSignatureHas) {
  const Key key = make_ec_key("P-256");
  const auto verifier =
      Es256PublicKey::from_coordinates(coordinate(key, "qx"), coordinate(key, "qy"));
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\1';
  // n, the order of P-256 (SEC 2 §2.4.2).
  const std::string order(
      "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51",
      32);
  for (const std::string& pair :
       {zero + zero, zero + one, one + zero, order + one, one + order, std::string(64, '\xff'),
        std::string(), std::string(63, '\1'), std::string(65, '\1')}) {
    EXPECT_FALSE(verifier->verifies("text", pair)) << pair.size();
  }
}

TEST(Es256PublicKey, RefusesWhatIsNoPointOfTheCurve) {
  const Key key = make_ec_key("P-256");
  const std::string x = coordinate(key, "qx");
  std::string y = coordinate(key, "qy");
  EXPECT_FALSE(Es256PublicKey::from_coordinates(x, y.substr(1)));
  EXPECT_FALSE(Es256PublicKey::from_coordinates(x + x, y));
  EXPECT_FALSE(Es256PublicKey::from_coordinates(std::string(32, '\0'), std::string(32, '\0')));
  y[31] = static_cast<char>(y[31] ^ 1);
  EXPECT_FALSE(Es256PublicKey::from_coordinates(x, y));
}

TEST_F(JwtTest, AGoodTokenNamesItsUser) {
  EXPECT_EQ(with_claims(claims()), "");
  EXPECT_EQ(Jwt::parse(signer.sign_jwt(header, claims()).value())->kid(), "k1");
  EXPECT_FALSE(Jwt::parse(signer.sign_jwt(R"({"alg":"ES256"})", claims()).value())->kid());
}

TEST_F(JwtTest, TheFormIsThreePartsOfBase64UrlWithoutPadding) {
  const std::string good = signer.sign_jwt(header, claims()).value();
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), "." + good,
        good + ".", good + ".x", good.substr(0, good.rfind('.')), good + "=", good + "+",
        good + "\n", " " + good, good.substr(0, good.rfind('.') + 1)}) {
    EXPECT_NE(refusal_of(bad), "") << bad;
  }
  EXPECT_NE(refusal_of(good + std::string(9000, 'A')).find("8 KiB"), std::string::npos);
}

TEST_F(JwtTest, OnlyEs256IsTakenWhateverTheTokenSays) {
  for (const char* alg : {R"("none")", R"("None")", R"("HS256")", R"("RS256")", R"("ES384")",
                          R"("es256")", R"("")", "null", R"(["ES256"])"}) {
    EXPECT_EQ(with_header(std::string(R"({"kid":"k1","alg":)") + alg + "}"),
              "the token's algorithm is not ES256")
        << alg;
  }
  EXPECT_EQ(with_header("{}"), "the token's algorithm is not ES256");
  // Unsigned, as RFC 7519 §6.1 has it.
  EXPECT_NE(refusal_of(base::base64url_encode(R"({"alg":"none"})") + "." +
                       base::base64url_encode(claims()) + "."),
            "");
}

TEST_F(JwtTest, AHeaderThatReadersUnderstandDifferentlyIsRefused) {
  EXPECT_NE(with_header(R"({"alg":"none","alg":"ES256"})"), "");
  EXPECT_NE(with_header(R"({"alg":"ES256","crit":["exp"],"exp":1})"), "");
  EXPECT_NE(with_header(R"({"alg":"ES256","crit":[]})"), "");
  EXPECT_NE(with_header(R"({"alg":"ES256","kid":7})"), "");
  EXPECT_NE(with_header(R"(["ES256"])"), "");
  EXPECT_NE(with_header("ES256"), "");
}

TEST_F(JwtTest, KeysThatTheTokenBringsAreNotLookedAt) {
  const Key other = make_ec_key("P-256");
  const auto forger = Es256Key::from_pem(to_pem(other));
  const std::string forged = R"({"alg":"ES256","kid":"k1","jku":"https://evil.example","jwk":)" +
                             to_jwk(other, "k1") + "}";
  EXPECT_EQ(refusal_of(forger->sign_jwt(forged, claims()).value()),
            "the token's signature is wrong");
}

TEST_F(JwtTest, TypesOfOtherTokensAreRefused) {
  for (const char* typ : {"JWT", "jwt", "at+jwt", "application/at+jwt"}) {
    EXPECT_EQ(with_header(std::string(R"({"alg":"ES256","typ":")") + typ + "\"}"), "") << typ;
  }
  for (const char* typ : {R"("rt+jwt")", R"("logout+jwt")", R"("secevent+jwt")", R"("")", "1"}) {
    EXPECT_EQ(with_header(std::string(R"({"alg":"ES256","typ":)") + typ + "}"),
              "the token is of another type")
        << typ;
  }
  EXPECT_EQ(with_claims(claims(R"(,"token_use":"access")")), "");
  EXPECT_EQ(with_claims(claims(R"(,"token_use":"id")")), "the token is no access token");
  EXPECT_EQ(with_claims(claims(R"(,"token_use":["access"])")), "the token is no access token");
}

TEST_F(JwtTest, ASignatureIs64BytesAndTheKeys) {
  const std::string good = signer.sign_jwt(header, claims()).value();
  const std::string text = good.substr(0, good.rfind('.') + 1);
  const std::string signature = base::base64url_decode(good.substr(text.size())).value();
  for (const std::string& bad : {signature + '\0', signature.substr(1), '\0' + signature,
                                 std::string(64, '\0'), std::string()}) {
    EXPECT_EQ(refusal_of(text + base::base64url_encode(bad)), "the token's signature is wrong");
  }
  EXPECT_EQ(refusal_of(base::base64url_encode(header) + "." +
                       base::base64url_encode(claims(R"(,"x":1)")) + good.substr(text.size() - 1)),
            "the token's signature is wrong");
}

TEST_F(JwtTest, TheClaimsAreOneObjectWithoutRepeats) {
  for (const char* json : {"", "[]", "null", "{", R"({"sub":"a","sub":"b"})"}) {
    EXPECT_NE(with_claims(json), "") << json;
  }
  EXPECT_NE(with_claims(claims(R"(,"exp":99999999999)")), "");
}

TEST_F(JwtTest, IssuerAndAudienceMustBeOurs) {
  const std::string bad_issuer = "the token is of another issuer";
  EXPECT_EQ(with_claims(claims("", "iss")), bad_issuer);
  for (const char* iss :
       {R"("https://id.whispr.example/")", R"("")", "1", R"(["https://id.whispr.example"])"}) {
    EXPECT_EQ(with_claims(claims(std::string(R"(,"iss":)") + iss, "iss")), bad_issuer) << iss;
  }
  const std::string bad_audience = "the token is for another audience";
  EXPECT_EQ(with_claims(claims("", "aud")), bad_audience);
  for (const char* aud : {R"("notification")", R"([])", R"([["notifications"]])", "{}", "null"}) {
    EXPECT_EQ(with_claims(claims(std::string(R"(,"aud":)") + aud, "aud")), bad_audience) << aud;
  }
  EXPECT_EQ(with_claims(claims(R"(,"aud":["messages","notifications"])", "aud")), "");
}

TEST_F(JwtTest, TimesAreKeptWithTheLeewayAndFractions) {
  const auto at = [&](const std::string& more) { return with_claims(claims(more, "exp")); };
  EXPECT_EQ(at(""), "the token has no expiry");
  EXPECT_EQ(at(R"(,"exp":"1790000060")"), "the token has no expiry");
  EXPECT_EQ(at(R"(,"exp":1789999970)"), "the token has expired");
  EXPECT_EQ(at(R"(,"exp":1789999970.5)"), "");
  EXPECT_EQ(at(R"(,"exp":-1)"), "the token has expired");
  EXPECT_EQ(at(R"(,"exp":1790000060,"nbf":1790000030)"), "");
  for (const char* name : {"nbf", "iat"}) {
    const std::string claim = std::string(R"(,"exp":1790000060,")") + name + "\":";
    EXPECT_EQ(at(claim + "1790000030"), "") << name;
    EXPECT_EQ(at(claim + "1790000031"), "the token is not valid yet") << name;
    EXPECT_EQ(at(claim + "null"), "the token is not valid yet") << name;
  }
}

TEST_F(JwtTest, TheSubjectIsAUser) {
  EXPECT_EQ(with_claims(claims("", "sub")), "the token's subject is no user");
  for (const char* sub :
       {R"("")", R"("admin")", "7", R"("018f3c2a-0000-4000-8000-0000000000aa ")"}) {
    EXPECT_EQ(with_claims(claims(std::string(R"(,"sub":)") + sub, "sub")),
              "the token's subject is no user")
        << sub;
  }
}

TEST_F(JwtTest, WhyATokenIsRefusedNeverQuotesIt) {
  const std::string marked = R"(,"sub":"a-marked-subject","x":"a-marked-value")";
  EXPECT_EQ(with_claims(claims(marked, "sub")).find("marked"), std::string::npos);
  EXPECT_EQ(with_header(R"({"alg":"a-marked-name"})").find("marked"), std::string::npos);
}

struct JwkSetTest : testing::Test {
  const Key a = make_ec_key("P-256");
  const Key b = make_ec_key("P-256");
  static std::string set(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }
  static std::size_t usable(const std::string& keys) {
    const auto parsed = JwkSet::parse(set(keys));
    return parsed ? parsed->size() : 0;
  }
};

TEST_F(JwkSetTest, FindsAKeyByItsNameAndTheOnlyOneWithout) {
  const auto both = JwkSet::parse(set(to_jwk(a, "a") + "," + to_jwk(b, "b")));
  ASSERT_TRUE(both);
  EXPECT_NE(both->find("a"), nullptr);
  EXPECT_NE(both->find("b"), both->find("a"));
  EXPECT_EQ(both->find("c"), nullptr);
  EXPECT_EQ(both->find(std::nullopt), nullptr);
  const auto one = JwkSet::parse(set(to_jwk(a, "a")));
  EXPECT_NE(one->find(std::nullopt), nullptr);
  EXPECT_EQ(one->find("b"), nullptr);
  EXPECT_EQ(one->find(""), nullptr);
}

TEST_F(JwkSetTest, KeysForOtherThingsArePassedOver) {
  const std::string good = to_jwk(a, "a");
  EXPECT_EQ(usable(good), 1U);
  EXPECT_EQ(usable(to_jwk(a, "a", R"(,"use":"sig","alg":"ES256","key_ops":["verify"])")), 1U);
  for (const std::string& other :
       {to_jwk(b, "b", R"(,"use":"enc")"), to_jwk(b, "b", R"(,"alg":"ES384")"),
        to_jwk(b, "b", R"(,"alg":7)"), to_jwk(b, "b", R"(,"key_ops":["deriveKey"])"),
        std::string(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"), std::string(R"({"kty":"EC"})"),
        std::string(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"), std::string("7"),
        std::string(R"({"kty":"oct","k":"c2VjcmV0"})")}) {
    EXPECT_EQ(usable(good + "," + other), 1U) << other;
    EXPECT_EQ(usable(other), 0U) << other;
  }
}

TEST_F(JwkSetTest, WhatIsNoSetIsAnError) {
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"), set(""),
        R"({"keys":[],"keys":[)" + to_jwk(a, "a") + "]}", std::string(70'000, ' ')}) {
    const auto parsed = JwkSet::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, base::Errc::invalid);
  }
}

}  // namespace
}  // namespace notify::crypto
