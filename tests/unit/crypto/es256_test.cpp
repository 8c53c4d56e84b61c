#include "crypto/es256.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "unit/crypto/test_keys.hpp"

namespace notify::crypto {
namespace {

using base::Errc;
using namespace crypto_test;

struct Parts {
  std::string header;
  std::string claims;
  std::string signed_text;
  std::string signature;
};

Parts split(const std::string& jwt) {
  const std::size_t first = jwt.find('.');
  const std::size_t last = jwt.rfind('.');
  EXPECT_NE(first, last) << jwt;
  return {base::base64url_decode(jwt.substr(0, first)).value_or("?"),
          base::base64url_decode(jwt.substr(first + 1, last - first - 1)).value_or("?"),
          jwt.substr(0, last), base::base64url_decode(jwt.substr(last + 1)).value_or("?")};
}

TEST(Es256, ASignatureVerifiesWithOpenSsl) {
  const Key key = make_ec_key("P-256");
  const auto es256 = Es256Key::from_pem(to_pem(key));
  ASSERT_TRUE(es256);
  const auto jwt = es256->sign_jwt(R"({"alg":"ES256"})", R"({"iss":"TEAM"})");
  ASSERT_TRUE(jwt);
  const Parts parts = split(*jwt);
  EXPECT_EQ(parts.header, R"({"alg":"ES256"})");
  EXPECT_EQ(parts.claims, R"({"iss":"TEAM"})");
  EXPECT_TRUE(verifies(key, parts.signed_text, parts.signature));
  EXPECT_FALSE(verifies(key, parts.signed_text + "x", parts.signature));
  EXPECT_FALSE(verifies(make_ec_key("P-256"), parts.signed_text, parts.signature));
}

TEST(Es256, ASignatureIsAlwaysTheTwoNumbersIn64Bytes) {
  // One in 128 has a number that is shorter than 32 bytes and must be padded.
  const Key key = make_ec_key("P-256");
  const auto es256 = Es256Key::from_pem(to_pem(key));
  ASSERT_TRUE(es256);
  for (int i = 0; i < 1000; ++i) {
    const auto jwt = es256->sign_jwt("{}", std::to_string(i));
    ASSERT_TRUE(jwt);
    const Parts parts = split(*jwt);
    ASSERT_EQ(parts.signature.size(), 64u);
    ASSERT_TRUE(verifies(key, parts.signed_text, parts.signature)) << i;
  }
}

TEST(Es256, ThePublicPointVerifiesWhatTheKeySigns) {
  const auto es256 = Es256Key::from_pem(to_pem(make_ec_key("P-256")));
  ASSERT_TRUE(es256);
  const std::string point = es256->public_point().value_or("");
  ASSERT_EQ(point.size(), 65u);
  EXPECT_EQ(point[0], '\x04');
  const auto key = Es256PublicKey::from_coordinates(point.substr(1, 32), point.substr(33));
  ASSERT_TRUE(key);
  const Parts parts = split(es256->sign_jwt("{}", "{}").value_or(""));
  EXPECT_TRUE(key->verifies(parts.signed_text, parts.signature));
}

TEST(Es256, ATokenIsBase64UrlWithoutPadding) {
  const auto es256 = Es256Key::from_pem(to_pem(make_ec_key("P-256")));
  for (const char* claims : {"", "a", "ab", "abc", "\xff\xfe\xfd"}) {
    const auto jwt = es256.value().sign_jwt("{}", claims);
    EXPECT_EQ(jwt.value().find_first_of("=+/"), std::string::npos) << *jwt;
  }
}

TEST(Es256, BothFormsOfAPemFileAreRead) {
  const Key key = make_ec_key("P-256");
  EXPECT_TRUE(Es256Key::from_pem(to_pem(key)));
  EXPECT_TRUE(Es256Key::from_pem(to_sec1_pem(key)));
}

TEST(Es256, WhatIsNoPrivateP256KeyIsRefusedAndNotQuoted) {
  const Key good = make_ec_key("P-256");
  std::string cut(to_pem(good).reveal());
  cut.resize(cut.size() / 2);
  const base::Secret bad[] = {base::Secret(),
                              base::Secret("not a key"),
                              base::Secret(cut),
                              base::Secret(public_pem(good)),
                              to_pem(make_ec_key("P-384")),
                              to_pem(make_ec_key("secp256k1")),
                              to_pem(make_rsa_key()),
                              to_pem(good, "a pass phrase")};
  for (const base::Secret& pem : bad) {
    const auto key = Es256Key::from_pem(pem);
    ASSERT_FALSE(key) << pem.size();
    EXPECT_EQ(key.error().code, Errc::invalid);
    EXPECT_LT(key.error().detail.size(), 100u);
    EXPECT_EQ(key.error().detail.find("BEGIN"), std::string::npos);
  }
}

TEST(Es256, AMovedKeyStillSigns) {
  auto first = Es256Key::from_pem(to_pem(make_ec_key("P-256")));
  const Es256Key second = std::move(first.value());
  EXPECT_TRUE(second.sign_jwt("{}", "{}"));
}

}  // namespace
}  // namespace notify::crypto
