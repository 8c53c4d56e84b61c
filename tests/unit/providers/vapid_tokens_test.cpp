#include "providers/webpush/vapid_tokens.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "fakes/manual_clock.hpp"
#include "unit/crypto/test_keys.hpp"

namespace notify::providers {
namespace {

using std::chrono::hours;

struct VapidTokensTest : testing::Test {
  fakes::ManualClock clock;
  VapidTokens tokens =
      VapidTokens::create(
          crypto::Es256Key::from_pem(crypto_test::to_pem(crypto_test::make_ec_key("P-256")))
              .value(),
          "mailto:push@example.com", clock)
          .value();

  std::string authorization(std::string_view origin) {
    const auto made = tokens.authorization(origin);
    EXPECT_TRUE(made);
    return made ? std::string(made->reveal()) : "";
  }
  static std::string part(const std::string& authorization, std::size_t index) {
    std::string jwt = authorization.substr(8, authorization.find(',') - 8);
    for (; index > 0; --index) jwt.erase(0, jwt.find('.') + 1);
    return base::base64url_decode(jwt.substr(0, jwt.find('.'))).value_or("?");
  }
  std::int64_t seconds_in(hours time) const {
    return std::chrono::duration_cast<std::chrono::seconds>((clock.now() + time).time_since_epoch())
        .count();
  }
};

TEST_F(VapidTokensTest, SaysForWhomHowLongAndWhoseItIs) {
  const std::string text = authorization("https://push.example");
  EXPECT_TRUE(text.starts_with("vapid t=")) << text;
  EXPECT_TRUE(text.ends_with(", k=" + tokens.public_key())) << text;
  EXPECT_EQ(part(text, 0), R"({"typ":"JWT","alg":"ES256"})");
  EXPECT_EQ(part(text, 1), R"({"aud":"https://push.example","exp":)" +
                               std::to_string(seconds_in(hours(12))) +
                               R"(,"sub":"mailto:push@example.com"})");
  const std::string point = base::base64url_decode(tokens.public_key()).value_or("");
  const auto key = crypto::Es256PublicKey::from_coordinates(point.substr(1, 32), point.substr(33));
  ASSERT_TRUE(key);
  const std::string jwt = text.substr(8, text.find(',') - 8);
  EXPECT_TRUE(key->verifies(jwt.substr(0, jwt.rfind('.')), part(text, 2)));
}

TEST_F(VapidTokensTest, AreKeptForEachOriginUntilWellBeforeTheirEnd) {
  const std::string first = authorization("https://a.example");
  EXPECT_NE(authorization("https://b.example"), first);
  clock.advance(hours(10) - std::chrono::seconds(1));
  EXPECT_EQ(authorization("https://a.example"), first);
  clock.advance(std::chrono::seconds(1));
  const std::string second = authorization("https://a.example");
  EXPECT_NE(second, first);
  EXPECT_NE(part(second, 1).find(std::to_string(seconds_in(hours(12)))), std::string::npos);
}

TEST_F(VapidTokensTest, AClockThatWentBackMakesANewOne) {
  const std::string first = authorization("https://a.example");
  clock.jump_wall(-hours(14));
  const std::string second = authorization("https://a.example");
  EXPECT_NE(part(second, 1).find(std::to_string(seconds_in(hours(12)))), std::string::npos);
}

TEST_F(VapidTokensTest, ManyOriginsCostABoundedMemory) {
  for (std::size_t i = 0; i < VapidTokens::kOriginsMax + 10; ++i) {
    ASSERT_NE(authorization("https://" + std::to_string(i) + ".example"), "");
  }
}

}  // namespace
}  // namespace notify::providers
