#include "crypto/digest.hpp"

#include <gtest/gtest.h>

namespace notify::crypto {
namespace {

TEST(Digest, IsTheBeginningOfSha256) {
  // FIPS 180-4's example: SHA-256("abc") = ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 ...
  const base::Digest expected = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23};
  EXPECT_EQ(digest("abc"), expected);
  EXPECT_NE(digest(""), digest(std::string_view("\0", 1)));
}

}  // namespace
}  // namespace notify::crypto
