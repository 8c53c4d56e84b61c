#include "providers/apns/provider_token.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "fakes/manual_clock.hpp"
#include "unit/crypto/test_keys.hpp"

namespace notify::providers {
namespace {

using std::chrono::duration_cast;
using std::chrono::minutes;
using std::chrono::seconds;

struct ProviderTokenTest : testing::Test {
  crypto_test::Key key = crypto_test::make_ec_key("P-256");
  // The start of a slot.
  fakes::ManualClock clock{base::WallTime(minutes(30) * 1'000'000)};

  ProviderToken make() {
    return ProviderToken(crypto::Es256Key::from_pem(crypto_test::to_pem(key)).value(),
                         {.key_id = "ABC1234567", .team_id = "DEF7654321"}, clock);
  }
  static std::string authorization(ProviderToken& token) {
    const auto made = token.authorization();
    EXPECT_TRUE(made);
    return made ? std::string(made->reveal()) : "";
  }
  static std::string part(const std::string& authorization, std::size_t index) {
    std::string jwt = authorization.substr(authorization.find(' ') + 1);
    for (; index > 0; --index) jwt.erase(0, jwt.find('.') + 1);
    return base::base64url_decode(jwt.substr(0, jwt.find('.'))).value_or("?");
  }
  std::int64_t now_seconds() const {
    return duration_cast<seconds>(clock.now().time_since_epoch()).count();
  }
  static std::int64_t issued_at(const std::string& authorization) {
    const std::string claims = part(authorization, 1);
    return std::stoll(claims.substr(claims.find(R"("iat":)") + 6));
  }
};

TEST_F(ProviderTokenTest, HeaderAndClaimsAreExactlyWhatAppleAsksFor) {
  ProviderToken token = make();
  const std::string text = authorization(token);
  EXPECT_EQ(text.substr(0, 7), "bearer ");
  EXPECT_EQ(part(text, 0), R"({"alg":"ES256","kid":"ABC1234567"})");
  EXPECT_EQ(part(text, 1), R"({"iss":"DEF7654321","iat":)" + std::to_string(now_seconds()) + "}");
  const std::string jwt = text.substr(7);
  EXPECT_TRUE(
      crypto_test::verifies(key, std::string_view(jwt).substr(0, jwt.rfind('.')), part(text, 2)));
}

TEST_F(ProviderTokenTest, WithinASlotItIsTheSameToken) {
  ProviderToken token = make();
  const std::string first = authorization(token);
  for (int i = 0; i < 29; ++i) {
    clock.advance(minutes(1));
    EXPECT_EQ(authorization(token), first);
  }
  clock.advance(seconds(59));
  EXPECT_EQ(authorization(token), first);
}

TEST_F(ProviderTokenTest, WithTheNextSlotItIsANewOne) {
  ProviderToken token = make();
  const std::string first = authorization(token);
  clock.advance(minutes(30));
  const std::string second = authorization(token);
  EXPECT_NE(first, second);
  EXPECT_EQ(issued_at(second) - issued_at(first), 1800);
}

TEST_F(ProviderTokenTest, TwoNodesMakeTheSameClaimsWheneverTheyStart) {
  ProviderToken early = make();
  (void)authorization(early);
  clock.advance(minutes(17));
  ProviderToken late = make();
  EXPECT_EQ(part(authorization(early), 1), part(authorization(late), 1));
}

TEST_F(ProviderTokenTest, ATokenIsNeverOlderThanFiftyMinutesNorFromTheFuture) {
  ProviderToken token = make();
  for (int i = 0; i < 500; ++i) {
    clock.advance(seconds(97));
    const std::int64_t age = now_seconds() - issued_at(authorization(token));
    EXPECT_GE(age, 0);
    EXPECT_LE(age, 50 * 60);
  }
}

TEST_F(ProviderTokenTest, AClockThatIsSetBackGetsATokenOfItsOwnTime) {
  ProviderToken token = make();
  (void)authorization(token);
  clock.jump_wall(-std::chrono::hours(3));
  const std::int64_t age = now_seconds() - issued_at(authorization(token));
  EXPECT_GE(age, 0);
  EXPECT_LE(age, 50 * 60);
}

}  // namespace
}  // namespace notify::providers
