#include "net/http2/origin.hpp"

#include <gtest/gtest.h>

namespace notify::http2 {
namespace {

TEST(Origin, HasTheDefaultPortOfItsScheme) {
  const auto origin = parse_origin("https://api.push.apple.com");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->endpoint.host, "api.push.apple.com");
  EXPECT_EQ(origin->endpoint.port, 443);
  EXPECT_EQ(origin->authority, "api.push.apple.com");
  EXPECT_EQ(parse_origin("http://x")->endpoint.port, 80);
}

TEST(Origin, KeepsItsPortInTheAuthority) {
  const auto origin = parse_origin("https://api.push.apple.com:2197");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->endpoint.port, 2197);
  EXPECT_EQ(origin->authority, "api.push.apple.com:2197");
}

TEST(Origin, TakesAnIpv6AddressInBrackets) {
  const auto origin = parse_origin("http://[::1]:8080");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->endpoint.host, "::1");
  EXPECT_EQ(origin->endpoint.port, 8080);
  EXPECT_EQ(parse_origin("https://[::1]")->endpoint.port, 443);
}

TEST(Origin, RefusesWhatIsNoOrigin) {
  for (const char* text :
       {"", "example.org", "ftp://example.org", "https://", "https://:443", "https://example.org/",
        "https://example.org:", "https://a:0", "https://a:65536", "https://a:1x", "https://user@a",
        "https://[::1", "https://[::1]443", "https://[]:1"}) {
    EXPECT_FALSE(parse_origin(text)) << text;
  }
}

}  // namespace
}  // namespace notify::http2
