#include "providers/fcm/service_account.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/crypto/test_keys.hpp"

namespace notify::providers {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

json sample(const base::Secret& pem) {
  return {{"type", "service_account"},
          {"project_id", "whispr-test"},
          {"private_key_id", "0123456789abcdef"},
          {"private_key", pem.reveal()},
          {"client_email", "push@whispr-test.iam.gserviceaccount.com"},
          {"client_id", "1"},
          {"token_uri", "https://oauth2.googleapis.com/token"}};
}

TEST(ServiceAccount, AnAssertionIsExactlyWhatGoogleAsksFor) {
  const auto key = crypto_test::make_rsa_key();
  const auto account = ServiceAccount::parse(sample(crypto_test::to_pem(key)).dump());
  ASSERT_TRUE(account) << account.error().detail;
  EXPECT_EQ(account->project_id(), "whispr-test");
  EXPECT_EQ(account->token_uri(), "https://oauth2.googleapis.com/token");
  const auto assertion = account->assertion(base::WallTime(1'790'000'000'999ms));
  ASSERT_TRUE(assertion);
  const std::size_t first = assertion->find('.');
  const std::size_t last = assertion->rfind('.');
  const auto part = [&](std::size_t from, std::size_t to) {
    return base::base64url_decode(assertion->substr(from, to - from)).value_or("?");
  };
  EXPECT_EQ(part(0, first), R"({"alg":"RS256","typ":"JWT","kid":"0123456789abcdef"})");
  EXPECT_EQ(part(first + 1, last),
            R"({"iss":"push@whispr-test.iam.gserviceaccount.com",)"
            R"("scope":"https://www.googleapis.com/auth/firebase.messaging",)"
            R"("aud":"https://oauth2.googleapis.com/token","iat":1790000000,"exp":1790003600})");
}

TEST(ServiceAccount, AFileThatIsNoneIsRefusedAndNotQuoted) {
  const base::Secret pem = crypto_test::to_pem(crypto_test::make_rsa_key());
  std::vector<std::string> bad = {"", "{", "[]", "7", R"({"type":"authorized_user"})"};
  for (const char* field :
       {"type", "project_id", "private_key_id", "private_key", "client_email", "token_uri"}) {
    json without = sample(pem);
    without.erase(field);
    bad.push_back(without.dump());
    json wrong = sample(pem);
    wrong[field] = 7;
    bad.push_back(wrong.dump());
  }
  json plain = sample(pem);
  plain["token_uri"] = "http://oauth2.googleapis.com/token";
  bad.push_back(plain.dump());
  bad.push_back(sample(crypto_test::to_pem(crypto_test::make_ec_key("P-256"))).dump());
  for (const std::string& text : bad) {
    const auto account = ServiceAccount::parse(text);
    ASSERT_FALSE(account);
    EXPECT_EQ(account.error().code, base::Errc::invalid);
    EXPECT_LT(account.error().detail.size(), 120u);
    EXPECT_EQ(account.error().detail.find("BEGIN"), std::string::npos);
  }
}

}  // namespace
}  // namespace notify::providers
