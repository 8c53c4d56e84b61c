#include "crypto/rs256.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "unit/crypto/test_keys.hpp"

namespace notify::crypto {
namespace {

using base::Errc;
using namespace crypto_test;

/// The key of RFC 7515 appendix A.2.1, its JWK written as PKCS#8.
constexpr const char* kRfcKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"
    "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"
    "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"
    "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"
    "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"
    "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"
    "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"
    "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"
    "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"
    "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"
    "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"
    "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"
    "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"
    "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"
    "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"
    "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"
    "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"
    "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"
    "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"
    "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"
    "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"
    "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"
    "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"
    "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"
    "03k2+ZQwVK0JKSHuLFkuQ3U=\n"
    "-----END PRIVATE KEY-----\n";

/// The signature of RFC 7515 appendix A.2.1.
constexpr const char* kRfcSignature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Q"
    "c_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTy"
    "WzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwu"
    "sC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5A"
    "XLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

bool verifies_rsa(const Key& key, std::string_view text, std::string_view signature) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

TEST(Rs256, SignsTheExampleOfRfc7515AsTheRfcDoes) {
  const auto key = Rs256Key::from_pem(base::Secret(kRfcKey));
  ASSERT_TRUE(key) << key.error().detail;
  const auto jwt = key->sign_jwt(R"({"alg":"RS256"})",
                                 "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                                 "\"http://example.com/is_root\":true}");
  ASSERT_TRUE(jwt);
  EXPECT_EQ(*jwt,
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ." +
                std::string(kRfcSignature));
}

TEST(Rs256, ASignatureVerifiesWithOpenSsl) {
  const Key key = make_rsa_key();
  const auto rs256 = Rs256Key::from_pem(to_pem(key));
  ASSERT_TRUE(rs256);
  const auto jwt = rs256->sign_jwt(R"({"alg":"RS256"})", R"({"iss":"push@example.test"})");
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->find_first_of("=+/"), std::string::npos);
  const std::string text = jwt->substr(0, jwt->rfind('.'));
  const auto signature = base::base64url_decode(jwt->substr(jwt->rfind('.') + 1));
  ASSERT_TRUE(signature);
  EXPECT_TRUE(verifies_rsa(key, text, *signature));
  EXPECT_FALSE(verifies_rsa(key, text + "x", *signature));
  EXPECT_FALSE(verifies_rsa(make_rsa_key(), text, *signature));
}

TEST(Rs256, WhatIsNoPrivateRsaKeyIsRefusedAndNotQuoted) {
  const Key good = make_rsa_key();
  std::string cut(to_pem(good).reveal());
  cut.resize(cut.size() / 2);
  const Key short_key{EVP_RSA_gen(1024), &EVP_PKEY_free};
  const base::Secret bad[] = {base::Secret(),
                              base::Secret("not a key"),
                              base::Secret(cut),
                              base::Secret(public_pem(good)),
                              to_pem(make_ec_key("P-256")),
                              to_pem(short_key),
                              to_pem(good, "a pass phrase")};
  for (const base::Secret& pem : bad) {
    const auto key = Rs256Key::from_pem(pem);
    ASSERT_FALSE(key) << pem.size();
    EXPECT_EQ(key.error().code, Errc::invalid);
    EXPECT_LT(key.error().detail.size(), 100u);
    EXPECT_EQ(key.error().detail.find("BEGIN"), std::string::npos);
  }
}

}  // namespace
}  // namespace notify::crypto
