// The browser's side: decryption by the examples of the RFCs.

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "push-simulator/web_push_crypto.hpp"

namespace notify::simulator {
namespace {

std::string bytes(std::string_view text) { return base::base64url_decode(text).value_or("?"); }

TEST(Aes128GcmDecoding, TheExamplesOfTheRfc) {  // RFC 8188 §3.1, §3.2
  EXPECT_EQ(decode_aes128gcm(bytes("yqdlZ-tYemfogSmv7Ws5PQ"),
                             bytes("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-"
                                   "IxkIva3MEB1PD-ly8Thjg"))
                .value_or("?"),
            "I am the walrus");
  EXPECT_EQ(decode_aes128gcm(bytes("BO3ZVPxUlnLORbVGMpbT1Q"),
                             bytes("uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjE"
                                   "DyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA"))
                .value_or("?"),
            "I am the walrus");
}

TEST(Aes128GcmDecoding, WhatIsCutOffOrChangedIsRefused) {
  const std::string secret = bytes("yqdlZ-tYemfogSmv7Ws5PQ");
  const std::string body =
      bytes("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto text = decode_aes128gcm(secret, std::string_view(body).substr(0, size));
    EXPECT_TRUE(!text || text->empty()) << size;
  }
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string changed = body;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const bool is_record_size = i >= 16 && i < 20;  // one record, however long it may be
    EXPECT_TRUE(is_record_size || !decode_aes128gcm(secret, changed)) << i;
  }
}

}  // namespace
}  // namespace notify::simulator
