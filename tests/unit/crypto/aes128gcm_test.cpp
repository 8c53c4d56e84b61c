// The examples of RFC 8188 §3.

#include "crypto/aes128gcm.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace notify::crypto {
namespace {

std::string bytes(std::string_view text) { return base::base64url_decode(text).value_or("?"); }
std::string text(std::string_view bytes) { return base::base64url_encode(bytes); }

std::string sealed(const ContentKeys& keys, std::uint64_t sequence, std::string_view record) {
  return seal_record(keys, sequence, record).value_or("?");
}

TEST(Aes128Gcm, TheExampleOfOneRecord) {
  const std::string body =
      bytes("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");
  ASSERT_EQ(body.size(), 53u);
  const std::string salt = body.substr(0, kSaltLength);
  const auto keys = derive_content_keys(bytes("yqdlZ-tYemfogSmv7Ws5PQ"), salt);
  ASSERT_TRUE(keys);
  EXPECT_EQ(text(keys->pseudorandom), "zyeH5phsIsgUyd4oiSEIy35x-gIi4aM7y0hCF8mwn9g");
  EXPECT_EQ(text(keys->key), "_wniytB-ofscZDh4tbSjHw");
  EXPECT_EQ(text(keys->nonce), "Bcs8gkIRKLI8GeI8");
  const std::string record = bytes("SSBhbSB0aGUgd2FscnVzAg");
  EXPECT_EQ(record, "I am the walrus\x02");
  EXPECT_EQ(text(coding_header(salt, 4096, "") + sealed(*keys, 0, record)), text(body));
}

TEST(Aes128Gcm, TheExampleOfTwoRecords) {
  const std::string body = bytes(
      "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_"
      "gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_"
      "uA");
  ASSERT_EQ(body.size(), 73u);
  const std::string salt = body.substr(0, kSaltLength);
  const auto keys = derive_content_keys(bytes("BO3ZVPxUlnLORbVGMpbT1Q"), salt);
  ASSERT_TRUE(keys);
  EXPECT_EQ(text(keys->pseudorandom), "mNHRBFh-eOCdAdmmuVtym8Hf44ov7FPsQZ3f4knYjHE");
  EXPECT_EQ(text(keys->key), "u_eEOTjjVWUVrH82pQNwpw");
  EXPECT_EQ(text(keys->nonce), "VqylG1rdt-mJrNgP");
  const std::string first("I am th\x01\0", 9);
  EXPECT_EQ(text(coding_header(salt, 25, "a1") + sealed(*keys, 0, first) +
                 sealed(*keys, 1, "e walrus\x02")),
            text(body));
}

}  // namespace
}  // namespace notify::crypto
