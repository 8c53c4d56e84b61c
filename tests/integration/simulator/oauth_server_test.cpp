#include "push-simulator/oauth_server.hpp"

#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace notify::simulator {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::int64_t kAskedAt = 1'790'000'000;

class OauthServerTest : public ::testing::Test {
 protected:
  OauthServerTest() {
    EVP_PKEY_up_ref(key_.get());
    server_.set_account({.project_id = "p",
                         .client_email = "push@p",
                         .key_id = "kid",
                         .token_uri = "https://127.0.0.1:1/token"},
                        KeyHandle(key_.get()));
  }
  std::string sign(const json& header, const json& claims, EVP_PKEY* key) const {
    std::string text =
        base::base64url_encode(header.dump()) + "." + base::base64url_encode(claims.dump());
    const DigestHandle digest(EVP_MD_CTX_new());
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key);
    EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size());
    std::string signature(size, '\0');
    EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                   text.size());
    return text + "." + base::base64url_encode(signature);
  }
  OauthServer::Answer grant(const json& changes = json::object(), EVP_PKEY* key = nullptr) {
    json claims{{"iss", "push@p"},
                {"scope", "https://www.googleapis.com/auth/firebase.messaging"},
                {"aud", "https://127.0.0.1:1/token"},
                {"iat", kAskedAt},
                {"exp", kAskedAt + 3600}};
    claims.merge_patch(changes);
    return server_.grant(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" +
            sign({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "kid"}}, claims,
                 key != nullptr ? key : key_.get()),
        now_);
  }

  base::WallTime now_{std::chrono::seconds(kAskedAt)};
  base::SeededRng rng_{1};
  KeyHandle key_{EVP_RSA_gen(2048)};
  OauthServer server_{3600s, rng_};
};

TEST_F(OauthServerTest, AGoodAssertionIsAnHourOfAccess) {
  const auto answer = grant();
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json body = json::parse(answer.body);
  EXPECT_EQ(body["expires_in"], 3600);
  EXPECT_EQ(body["token_type"], "Bearer");
  const std::string bearer = "Bearer " + body["access_token"].get<std::string>();
  EXPECT_EQ(server_.check(bearer, now_ + 3599s), BearerVerdict::valid);
  EXPECT_EQ(server_.check(bearer, now_ + 3600s), BearerVerdict::expired);
  EXPECT_EQ(server_.check(bearer + "x", now_), BearerVerdict::invalid);
  EXPECT_EQ(server_.check("", now_), BearerVerdict::missing);
  EXPECT_EQ(server_.check("Basic x", now_), BearerVerdict::invalid);
}

TEST_F(OauthServerTest, EveryClaimIsLookedAt) {
  const KeyHandle other(EVP_RSA_gen(2048));
  EXPECT_EQ(grant({}, other.get()).error, "invalid_grant");
  for (const json& wrong :
       {json{{"iss", "other@p"}}, json{{"aud", "https://oauth2.googleapis.com/token"}},
        json{{"scope", "https://www.googleapis.com/auth/drive"}}, json{{"scope", nullptr}},
        json{{"exp", kAskedAt + 3601}}, json{{"exp", kAskedAt}}, json{{"exp", nullptr}},
        json{{"iat", kAskedAt + 301}, {"exp", kAskedAt + 3000}}, json{{"iat", "1790000000"}}}) {
    EXPECT_EQ(grant(wrong).status, 400) << wrong;
    EXPECT_EQ(grant(wrong).error, "invalid_grant") << wrong;
  }
  EXPECT_EQ(server_.grant("grant_type=password&assertion=x", now_).error, "unsupported_grant_type");
  EXPECT_EQ(server_.grant("", now_).status, 400);
}

TEST_F(OauthServerTest, TheKeyFileIsAServiceAccounts) {
  const json file = json::parse(server_.key_file().value());
  EXPECT_EQ(file["type"], "service_account");
  EXPECT_EQ(file["project_id"], "p");
  EXPECT_TRUE(file["private_key"].get<std::string>().starts_with("-----BEGIN PRIVATE KEY-----"));
}

}  // namespace
}  // namespace notify::simulator
