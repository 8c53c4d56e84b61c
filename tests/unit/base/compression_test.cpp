#include "base/compression.hpp"

#include <gtest/gtest.h>

namespace notify::base {
namespace {

constexpr std::size_t kMax = 1'000'000;

TEST(Compression, WhatGoesInComesOut) {
  const std::string long_text(100'000, 'x');
  for (const std::string& text : {std::string(), std::string("{}"), long_text}) {
    const std::string frame = compress(text);
    EXPECT_TRUE(is_compressed(frame));
    EXPECT_EQ(decompress(frame, kMax), text);
  }
  EXPECT_LT(compress(long_text).size(), 1'000u);
}

TEST(Compression, JsonIsNoFrame) {
  EXPECT_FALSE(is_compressed("{}"));
  EXPECT_FALSE(is_compressed(""));
  EXPECT_EQ(decompress("{}", kMax), std::nullopt);
  EXPECT_EQ(decompress("", kMax), std::nullopt);
}

TEST(Compression, AFrameThatIsCutOrGoesOnOrHoldsTooMuchIsRefused) {
  const std::string frame = compress(std::string(1'000, 'x') + "y");
  EXPECT_EQ(decompress(frame, 1'000), std::nullopt);
  EXPECT_TRUE(decompress(frame, 1'001));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(decompress(std::string_view(frame).substr(0, size), kMax), std::nullopt) << size;
  }
  EXPECT_EQ(decompress(frame + "more", kMax), std::nullopt);
  std::string bomb = frame;
  bomb[5] = '\xff';  // how much it says it holds
  EXPECT_EQ(decompress(bomb, kMax), std::nullopt);
}

}  // namespace
}  // namespace notify::base
