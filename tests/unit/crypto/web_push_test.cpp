// The example of RFC 8291 §5 and appendix A, step by step, and what is refused.

#include "crypto/web_push.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "crypto/aes128gcm.hpp"
#include "crypto/es256.hpp"

namespace notify::crypto {
namespace {

using base::Errc;

constexpr const char* kBrowserPoint =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr const char* kAuth = "BTBZMqHH6r4Tts7J_aSIgg";
constexpr const char* kOwnPoint =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
constexpr const char* kOwnScalar = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
constexpr const char* kSalt = "DGv6ra1nlYgDCS1FRnbzlw";
constexpr const char* kText = "When I grow up, I want to be a watermelon";

std::string from_base64url(std::string_view text) {
  return base::base64url_decode(text).value_or("?");
}
std::string to_base64url(std::string_view bytes) { return base::base64url_encode(bytes); }

WebPushKeys browser() { return WebPushKeys::parse(kBrowserPoint, kAuth).value(); }
OneTimeKeys own() {
  return OneTimeKeys::from_raw(base::Secret(from_base64url(kOwnScalar)), from_base64url(kOwnPoint),
                               from_base64url(kSalt))
      .value();
}

TEST(WebPush, EveryStepOfTheExample) {
  const auto secrets = agree(browser(), own());
  ASSERT_TRUE(secrets);
  EXPECT_EQ(to_base64url(secrets->ecdh), "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
  EXPECT_EQ(to_base64url(secrets->prk_key), "Snr3JMxaHVDXHWJn5wdC52WjpCtd2EIEGBykDcZW32k");
  EXPECT_EQ(to_base64url(secrets->key_info),
            "V2ViUHVzaDogaW5mbwAEJXGyvs3942BVGq8e0PTNNmwRzr5VX4m8t7GGpTM5FzFo7OLr4BhZe9MEebhuPI-"
            "OztV3ylkYfpJGmQ22ggCLDgT-M_SrDepxkU21WCP3O1SUj0EwbZIHMtu5pZpTKGSCIA5Zent7wmC6HCJ5mFgJ"
            "kuk5cwAvMBKiiujwa7t45ewP");
  EXPECT_EQ(to_base64url(secrets->shared), "S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg");
  const auto keys = derive_content_keys(secrets->shared, from_base64url(kSalt));
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_base64url(keys->pseudorandom), "09_eUZGrsvxChDCGRCdkLiDXrReGOEVeSCdCcPBSJSc");
  EXPECT_EQ(to_base64url(keys->key), "oIhVW04MRdy2XN9CiKLxTg");
  EXPECT_EQ(to_base64url(keys->nonce), "4h_95klXJ5E_qnoN");
  EXPECT_EQ(to_base64url(seal_record(*keys, 0, std::string(kText) + '\x02').value_or("?")),
            "8pfeW0KbunFT06SuDKoJH9Ql87S1QUrdirN6GcG7sFz1y1sqLgVi1VhjVkHsUoEsbI_0LpXMuGvnzQ");
}

TEST(WebPush, TheWholeBodyOfTheExample) {
  const auto body = encrypt_web_push(browser(), own(), kText);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->size(), 144u);  // the example's own Content-Length says 145
  EXPECT_EQ(
      to_base64url(*body),
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY"
      "WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexS"
      "gSxsj_Qulcy4a-fN");
}

TEST(WebPush, KeysMayHavePadding) {
  const auto padded =
      WebPushKeys::parse(std::string(kBrowserPoint) + "=", std::string(kAuth) + "==");
  ASSERT_TRUE(padded);
  EXPECT_EQ(to_base64url(agree(*padded, own()).value().shared),
            "S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg");
}

TEST(WebPush, FreshKeysAreNeverTheSame) {
  const auto first = encrypt_web_push(browser(), OneTimeKeys::fresh().value(), kText);
  const auto second = encrypt_web_push(browser(), OneTimeKeys::fresh().value(), kText);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->size(), 144u);
  EXPECT_NE(first->substr(0, kSaltLength), second->substr(0, kSaltLength));
  EXPECT_NE(first->substr(21, 65), second->substr(21, 65));
}

TEST(WebPush, TheLargestBodyHas4096Bytes) {
  const auto largest = encrypt_web_push(browser(), own(), std::string(kWebPushTextMax, 'x'));
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->size(), 4096u);
  const auto over = encrypt_web_push(browser(), own(), std::string(kWebPushTextMax + 1, 'x'));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Errc::invalid);
}

std::string with_byte(std::string_view encoded, std::size_t place, char value) {
  std::string raw = from_base64url(encoded);
  raw[place] = value;
  return to_base64url(raw);
}

TEST(WebPush, KeysOfAWrongFormAreRefused) {
  const std::string point = from_base64url(kBrowserPoint);
  const std::string auth = from_base64url(kAuth);
  const auto refused = [](std::string_view p256dh, std::string_view secret) {
    const auto parsed = WebPushKeys::parse(p256dh, secret);
    return !parsed && parsed.error().code == Errc::invalid;
  };
  EXPECT_TRUE(refused("", kAuth));
  EXPECT_TRUE(refused("not base64!", kAuth));
  EXPECT_TRUE(refused(to_base64url(point.substr(0, 64)), kAuth));
  EXPECT_TRUE(refused(to_base64url(point + "x"), kAuth));
  EXPECT_TRUE(refused(to_base64url(std::string(65, '\0')), kAuth));
  EXPECT_TRUE(refused(with_byte(kBrowserPoint, 0, '\x02'), kAuth));
  EXPECT_TRUE(refused(with_byte(kBrowserPoint, 64, '\x0f'), kAuth)) << "off the curve";
  EXPECT_TRUE(refused(kBrowserPoint, ""));
  EXPECT_TRUE(refused(kBrowserPoint, to_base64url(auth.substr(0, 15))));
  EXPECT_TRUE(refused(kBrowserPoint, to_base64url(auth + "x")));
  EXPECT_FALSE(refused(kBrowserPoint, kAuth));
}

TEST(WebPush, OwnKeysThatAreNoPairAreRefused) {
  const auto made = OneTimeKeys::from_raw(base::Secret(from_base64url(kOwnScalar)),
                                          from_base64url(kBrowserPoint), from_base64url(kSalt));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::invalid);
}

TEST(Vapid, TheSignatureOfTheExampleVerifies) {  // RFC 8292 §2.4
  constexpr std::string_view kSigned =
      "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9."
      "eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNo"
      "QGV4YW1wbGUuY29tIn0";
  constexpr std::string_view kSignature =
      "i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
  const std::string point = from_base64url(
      "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs");
  EXPECT_EQ(to_base64url(point.substr(1, 32)), "DUfHPKLVFQzVvnCPGyfucbECzPDa7rWbXriLcysAjEc");
  EXPECT_EQ(to_base64url(point.substr(33)), "F6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs");
  const auto key = Es256PublicKey::from_coordinates(point.substr(1, 32), point.substr(33));
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->verifies(kSigned, from_base64url(kSignature)));
  EXPECT_FALSE(key->verifies("x", from_base64url(kSignature)));
}

}  // namespace
}  // namespace notify::crypto
