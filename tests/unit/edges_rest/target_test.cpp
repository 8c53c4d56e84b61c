#include "edges/rest/target.hpp"

#include <gtest/gtest.h>

namespace notify::edges::rest {
namespace {

using Segments = std::vector<std::string>;
using Query = std::vector<std::pair<std::string, std::string>>;

TEST(Target, IsAPathAndAQuery) {
  const auto target = parse_target("/api/v1/a%20b/c+d?x=1&y=a+b%26&x=2&flag&=v&&z=p=q");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (Segments{"api", "v1", "a b", "c+d"}));
  EXPECT_EQ(target->query,
            (Query{{"x", "1"}, {"y", "a b&"}, {"x", "2"}, {"flag", ""}, {"", "v"}, {"z", "p=q"}}));
}

TEST(Target, ASlashAtTheEndIsAnEmptySegment) {
  EXPECT_EQ(parse_target("/")->segments, Segments{""});
  EXPECT_EQ(parse_target("/a/")->segments, (Segments{"a", ""}));
  EXPECT_EQ(parse_target("//a")->segments, (Segments{"", "a"}));
  EXPECT_TRUE(parse_target("/a?")->query.empty());
}

TEST(Target, AnEncodedSlashStaysInItsSegment) {
  EXPECT_EQ(parse_target("/a%2Fb/..")->segments, (Segments{"a/b", ".."}));
}

TEST(Target, WhatIsMalformedIsRefused) {
  for (const char* bad : {"", "a", "*", "http://x/a", "/%", "/%4", "/%zz", "/a?b=%", "/a?%f=1",
                          "/%ff", "/a?b=%c3", "/%00", "/a?b=%00", "/%C0%AF"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
}

}  // namespace
}  // namespace notify::edges::rest
