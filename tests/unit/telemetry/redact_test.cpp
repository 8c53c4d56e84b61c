#include "telemetry/redact.hpp"

#include <gtest/gtest.h>

namespace notify::telemetry {
namespace {

// Source: the reference implementation's vectors.h, key 00..0f.
TEST(SipHash, GivesTheReferenceVectors) {
  const std::array<std::uint64_t, 2> key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  std::string text;
  EXPECT_EQ(siphash24(key, text), 0x726fdb47dd0e0e31ULL);
  for (char c = 0; c < 15; ++c) text += c;
  EXPECT_EQ(siphash24(key, text), 0xa129ca6149be45e5ULL);
}

TEST(Redactor, GivesOneUserOneWordAndOtherKeysOtherWords) {
  const auto user = base::UserId::parse("0b9d3c6a-4a52-4f0e-9d0f-0a1b2c3d4e5f");
  const auto other = base::UserId::parse("0b9d3c6a-4a52-4f0e-9d0f-0a1b2c3d4e60");
  ASSERT_TRUE(user && other);
  const Redactor one(base::Secret("0123456789abcdef"));
  const Redactor same(base::Secret("0123456789abcdef"));
  const Redactor different(base::Secret("0123456789abcdeg"));
  EXPECT_EQ(one.user(*user), same.user(*user));
  EXPECT_NE(one.user(*user), different.user(*user));
  EXPECT_NE(one.user(*user), one.user(*other));
  EXPECT_EQ(one.user(*user).size(), 18U);
  EXPECT_EQ(one.user(*user).find("0b9d3c6a"), std::string::npos);
}

TEST(Redactor, WithoutAKeyDrawsItsOwn) {
  const base::UserId user;
  EXPECT_NE(Redactor(base::Secret()).user(user), Redactor(base::Secret()).user(user));
}

}  // namespace
}  // namespace notify::telemetry
