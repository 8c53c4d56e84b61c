#include "config/values.hpp"

#include <gtest/gtest.h>

namespace notify::config {
namespace {

using namespace std::chrono_literals;

template <class T>
std::optional<T> read(const std::string& text, const Rules& rules = {}) {
  T value{};
  if (parse(Raw{text, {}, false}, rules, value)) return std::nullopt;
  return value;
}

TEST(Values, DurationsNeedAUnit) {
  EXPECT_EQ(read<Duration>("30s"), 30s);
  EXPECT_EQ(read<Duration>("250ms"), 250ms);
  EXPECT_EQ(read<Duration>("2m"), 2min);
  EXPECT_EQ(read<Duration>("7d"), 168h);
  for (const char* wrong : {"", "30", "s", "-1s", "1.5s", "3 s", "30sec", "9223372036854775807h"}) {
    EXPECT_FALSE(read<Duration>(wrong)) << wrong;
  }
}

TEST(Values, DurationsAreWrittenInTheirLargestWholeUnit) {
  EXPECT_EQ(to_yaml(Duration(90s)), "90s");
  EXPECT_EQ(to_yaml(Duration(24h)), "1d");
  EXPECT_EQ(to_yaml(Duration(1500ms)), "1500ms");
  EXPECT_EQ(to_yaml(Duration(0)), "0s");
}

TEST(Values, SizesTakeBinaryUnits) {
  EXPECT_EQ(read<Bytes>("1MiB"), Bytes{1 << 20});
  EXPECT_EQ(read<Bytes>("65536"), Bytes{65536});
  EXPECT_FALSE(read<Bytes>("1MB"));
  EXPECT_EQ(to_yaml(Bytes{65536}), "64KiB");
  EXPECT_EQ(to_yaml(Bytes{1000}), "1000");
}

TEST(Values, RatesAreOfAMinuteAnHourOrADay) {
  const Rules rules{1, 1'000'000, {}};
  EXPECT_EQ(read<Rate>("60/1m", rules), (Rate{60, 1min}));
  EXPECT_EQ(read<Rate>("600/1h", rules), (Rate{600, 1h}));
  EXPECT_EQ(read<Rate>("1000/1d", rules), (Rate{1000, 24h}));
  for (const char* wrong : {"", "60", "60/", "/1m", "60/2m", "60/60s", "0/1m", "-1/1m", "x/1m"}) {
    EXPECT_FALSE(read<Rate>(wrong, rules)) << wrong;
  }
  EXPECT_EQ(read<std::vector<Rate>>("60/1m, 1000/1d", rules),
            (std::vector<Rate>{{60, 1min}, {1000, 24h}}));
  EXPECT_EQ(read<std::vector<Rate>>("", rules), std::vector<Rate>());
  EXPECT_EQ(to_yaml(std::vector<Rate>{{60, 1min}, {1000, 24h}}), "[60/1m, 1000/1d]");
}

TEST(Values, RatesOfATypeSayOfWhom) {
  const Rules rules{1, 1'000'000, {}};
  const TypeRate rate{"promotion", "user", {3, 24h}};
  EXPECT_EQ(read<TypeRate>("promotion user 3/1d", rules), rate);
  EXPECT_EQ(to_yaml(rate), "\"promotion user 3/1d\"");
  for (const char* wrong : {"", " ", "promotion", "promotion 3/1d", "promotion user", "user 3/1d x",
                            "promotion group 3/1d", "promotion user 3", " user 3/1d",
                            "Promotion user 3/1d", "promotion  user 3/1d"}) {
    EXPECT_FALSE(read<TypeRate>(wrong, rules)) << wrong;
  }
}

TEST(Values, IntegersStayInTheirRangeIncludingItsEnds) {
  const Rules rules{1, 64, {}};
  EXPECT_EQ(read<std::size_t>("1", rules), 1U);
  EXPECT_EQ(read<std::size_t>("64", rules), 64U);
  for (const char* wrong : {"0", "65", "-1", "", "1x", "0x10", "99999999999999999999"}) {
    EXPECT_FALSE(read<std::size_t>(wrong, rules)) << wrong;
  }
}

TEST(Values, AddressesKnowIPv6AndPortZeroOnlyWhereItIsAllowed) {
  EXPECT_EQ(read<Address>("127.0.0.1:0"), (Address{"127.0.0.1", 0}));
  EXPECT_EQ(read<Address>("[::1]:9090"), (Address{"::1", 9090}));
  EXPECT_EQ(to_yaml(Address{"::1", 9090}), "\"[::1]:9090\"");
  EXPECT_FALSE(read<Address>("127.0.0.1:0", Rules{1, 65535, {}}));
  for (const char* wrong : {"", "host", ":80", "host:", "host:65536", "::1:80", "a b:1", "h:1x"}) {
    EXPECT_FALSE(read<Address>(wrong)) << wrong;
  }
}

TEST(Values, UrlsAreCheckedByScheme) {
  const Rules rules = [] {
    Rules made;
    made.schemes = {"redis", "rediss"};
    return made;
  }();
  EXPECT_TRUE(read<Url>("rediss://host", rules));
  EXPECT_TRUE(read<Url>("REDIS://host", rules));
  EXPECT_FALSE(read<Url>("http://host", rules));
  EXPECT_FALSE(read<Url>("host:6379", rules));
}

TEST(Values, FlawsOfUrlsDoNotRepeatThem) {
  Url url;
  const auto flaw = parse(Raw{"postgresql//u:hunter2@h/db", {}, false}, {}, url);
  ASSERT_TRUE(flaw);
  EXPECT_EQ(flaw->what.find("hunter2"), std::string::npos);
  EXPECT_EQ(flaw->hint.find("hunter2"), std::string::npos);
}

TEST(Values, PasswordsInUrlsAreMaskedWhereverTheyStand) {
  const auto masked = [](const char* text) { return Url(text).masked(); };
  EXPECT_EQ(masked("postgresql://app:hunter2@db/notification"),
            "postgresql://app:***@db/notification");
  EXPECT_EQ(masked("redis://:hunter2@cache:6379/0"), "redis://:***@cache:6379/0");
  EXPECT_EQ(masked("postgresql:///n?host=/run&password=hunter2&user=a"),
            "postgresql:///n?host=/run&password=***&user=a");
  EXPECT_EQ(masked("postgresql:///n?sslpassword=hunter2"), "postgresql:///n?sslpassword=***");
  EXPECT_EQ(masked("https://host:8443/path"), "https://host:8443/path");
}

TEST(Values, PasswordsThatWereNotEncodedAreMaskedToo) {
  for (const char* text : {"postgresql://app:hun/ter2@db/n", "postgresql://app:hun?ter2@db/n",
                           "postgresql://app:hun@ter2@db/n", "redis://:hun#ter2@cache"}) {
    const std::string masked = Url(text).masked();
    EXPECT_EQ(masked.find("ter2"), std::string::npos) << masked;
    EXPECT_EQ(masked.find("hun"), std::string::npos) << masked;
  }
}

TEST(Values, ListsComeWithCommasOrAsYamlLists) {
  EXPECT_EQ(read<std::vector<Duration>>("1s, 2m,3h"), (std::vector<Duration>{1s, 2min, 3h}));
  EXPECT_EQ(read<std::vector<Duration>>(""), std::vector<Duration>{});
  EXPECT_FALSE(read<std::vector<Duration>>("1s,x"));
  std::vector<std::string> names;
  EXPECT_FALSE(parse(Raw{"", {"a", "b c"}, true}, {}, names));
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(to_yaml(names), "[a, \"b c\"]");
}

TEST(Values, AListIsNotOneValue) {
  std::size_t count = 7;
  EXPECT_TRUE(parse(Raw{"", {"1"}, true}, {}, count));
  EXPECT_EQ(count, 7U);
}

TEST(Values, ChoicesNameTheirAlternatives) {
  LogLevel level{};
  EXPECT_FALSE(parse(Raw{"warn", {}, false}, {}, level));
  EXPECT_EQ(level, LogLevel::warn);
  const auto flaw = parse(Raw{"loud", {}, false}, {}, level);
  ASSERT_TRUE(flaw);
  EXPECT_EQ(flaw->hint, "one of: trace, debug, info, warn, error");
}

TEST(Values, SecretsAreNeverWritten) {
  EXPECT_EQ(to_yaml(base::Secret("hunter2")), "\"***\"");
  EXPECT_EQ(to_yaml(base::Secret()), "\"\"");
  base::Secret secret;
  const auto flaw = parse(Raw{"hunter2", {}, false}, Rules{16, 256, {}}, secret);
  ASSERT_TRUE(flaw);
  EXPECT_EQ((flaw->what + flaw->hint).find("hunter2"), std::string::npos);
}

TEST(Values, TextsThatYamlWouldMisreadAreQuoted) {
  EXPECT_EQ(to_yaml(std::string("com.example.app")), "com.example.app");
  EXPECT_EQ(to_yaml(std::string("null")), "\"null\"");
  EXPECT_EQ(to_yaml(std::string("a: b # c")), "\"a: b # c\"");
  EXPECT_EQ(to_yaml(std::string("*x")), "\"*x\"");
  EXPECT_EQ(to_yaml(std::string("end:")), "\"end:\"");
}

}  // namespace
}  // namespace notify::config
