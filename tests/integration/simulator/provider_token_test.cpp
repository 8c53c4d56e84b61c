#include "push-simulator/provider_token.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "integration/simulator/signing.hpp"
#include "push-simulator/certificates.hpp"
#include "push-simulator/files.hpp"

namespace notify::simulator {
namespace {

using testing::parts_issued_at;
using testing::sign;
using testing::TokenParts;

constexpr std::int64_t kNow = 1'790'000'000;

class ProviderToken : public ::testing::Test {
 protected:
  ProviderToken() : private_key_(std::move(make_p256_key()).value()) {
    EVP_PKEY_up_ref(private_key_.get());
    checker_.emplace(ProviderKey{KeyHandle(private_key_.get()), testing::kKeyId, testing::kTeamId});
  }

  TokenVerdict check(const TokenParts& parts) {
    return check_text("bearer " + sign(*private_key_, parts));
  }
  TokenVerdict check_text(const std::string& authorization) {
    return checker_->check(authorization, now_);
  }

  base::WallTime now_{std::chrono::seconds(kNow)};
  KeyHandle private_key_;
  std::optional<ProviderTokenChecker> checker_;
};

TEST_F(ProviderToken, IsValidForAnHour) {
  EXPECT_EQ(check(parts_issued_at(kNow)), TokenVerdict::valid);
  EXPECT_EQ(check(parts_issued_at(kNow - 3600)), TokenVerdict::valid);
  EXPECT_EQ(check(parts_issued_at(kNow - 3601)), TokenVerdict::expired);
}

TEST_F(ProviderToken, ExpiresAlsoAfterItWasFoundValid) {
  const std::string authorization = "bearer " + sign(*private_key_, parts_issued_at(kNow));
  EXPECT_EQ(check_text(authorization), TokenVerdict::valid);
  now_ += std::chrono::seconds(3601);
  EXPECT_EQ(check_text(authorization), TokenVerdict::expired);
}

TEST_F(ProviderToken, FromTheFutureIsInvalid) {
  EXPECT_EQ(check(parts_issued_at(kNow + 299)), TokenVerdict::valid);
  EXPECT_EQ(check(parts_issued_at(kNow + 301)), TokenVerdict::invalid);
}

TEST_F(ProviderToken, MissingIsNotInvalid) { EXPECT_EQ(check_text(""), TokenVerdict::missing); }

TEST_F(ProviderToken, SchemeHasNoCaseButMustBeBearer) {
  const std::string jwt = sign(*private_key_, parts_issued_at(kNow));
  EXPECT_EQ(check_text("Bearer " + jwt), TokenVerdict::valid);
  EXPECT_EQ(check_text("basic  " + jwt), TokenVerdict::invalid);
  EXPECT_EQ(check_text(jwt), TokenVerdict::invalid);
  EXPECT_EQ(check_text("bearer "), TokenVerdict::invalid);
}

TEST_F(ProviderToken, OfAnotherKeyTeamOrAlgorithmIsInvalid) {
  TokenParts parts = parts_issued_at(kNow);
  parts.header = R"({"alg":"ES256","kid":"OTHERKEY00"})";
  EXPECT_EQ(check(parts), TokenVerdict::invalid);
  parts.header = R"({"kid":"ABC123DEFG"})";
  EXPECT_EQ(check(parts), TokenVerdict::invalid);
  parts.header = R"({"alg":"none","kid":"ABC123DEFG"})";
  EXPECT_EQ(check(parts), TokenVerdict::invalid);
  parts = parts_issued_at(kNow);
  parts.claims = R"({"iss":"OTHERTEAM0","iat":1790000000})";
  EXPECT_EQ(check(parts), TokenVerdict::invalid);
}

TEST_F(ProviderToken, IssuedAtMustBeANumberOfSeconds) {
  TokenParts parts = parts_issued_at(kNow);
  parts.claims = R"({"iss":"TEAM567890","iat":"1790000000"})";
  EXPECT_EQ(check(parts), TokenVerdict::invalid);
  parts.claims = R"({"iss":"TEAM567890"})";
  EXPECT_EQ(check(parts), TokenVerdict::invalid);
  parts.claims = R"({"iss":"TEAM567890","iat":9223372036854775807})";
  EXPECT_EQ(check(parts), TokenVerdict::invalid);
}

TEST_F(ProviderToken, SignatureOfAnotherKeyOrFormIsInvalid) {
  const KeyHandle other = std::move(make_p256_key()).value();
  const std::string jwt = sign(*private_key_, parts_issued_at(kNow));
  EXPECT_EQ(check_text("bearer " + sign(*other, parts_issued_at(kNow))), TokenVerdict::invalid);
  const std::string unsigned_part = jwt.substr(0, jwt.rfind('.'));
  EXPECT_EQ(check_text("bearer " + unsigned_part), TokenVerdict::invalid);
  EXPECT_EQ(check_text("bearer " + unsigned_part + "."), TokenVerdict::invalid);
  EXPECT_EQ(check_text("bearer a.b.c"), TokenVerdict::invalid);
  EXPECT_EQ(check_text("bearer ..."), TokenVerdict::invalid);
}

TEST(KeyFile, IsMadeOnceAndReadBack) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "simulator_key_test.p8";
  std::filesystem::remove(path);
  const auto made = load_or_make_key(path);
  const auto read = load_or_make_key(path);
  ASSERT_TRUE(made && read);
  EXPECT_EQ(EVP_PKEY_eq(made->get(), read->get()), 1);
  EXPECT_TRUE(read_file(path)->starts_with("-----BEGIN PRIVATE KEY-----"));

  ASSERT_TRUE(replace_file(path, "no key", FileMode::owner_only));
  const auto garbage = load_or_make_key(path);
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().code, base::Errc::invalid);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace notify::simulator
