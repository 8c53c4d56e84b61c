#include "push-simulator/scripted_tokens.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace notify::simulator {
namespace {

std::string script(std::string_view json) { return "script:" + base::base64url_encode(json); }

TEST(ScriptedTokens, AFaultAppliesAsOftenAsItSays) {
  ScriptedTokens tokens;
  const std::string twice = script(R"({"status":503,"reason":"Shutdown","count":2,"id":"1"})");
  EXPECT_EQ(tokens.take(FaultTarget::webpush, twice)->status, 503);
  EXPECT_EQ(tokens.take(FaultTarget::webpush, twice)->reason, "Shutdown");
  EXPECT_FALSE(tokens.take(FaultTarget::webpush, twice));
  const std::string another = script(R"({"status":503,"count":2,"id":"2"})");
  EXPECT_TRUE(tokens.take(FaultTarget::webpush, another)) << "each token has its own count";
  const std::string always = script(R"({"refuse_stream":true,"count":-1})");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(tokens.take(FaultTarget::fcm, always)->kind, FaultKind::refuse_stream);
  }
}

TEST(ScriptedTokens, ATokenOfAppleIsHex) {
  // script:{"hang":true}
  const char* token = "7363726970743a7b2268616e67223a747275657d";
  EXPECT_TRUE(is_script(token));
  EXPECT_EQ(parse_script(FaultTarget::apns, token).value().kind, FaultKind::hang);
}

TEST(ScriptedTokens, OtherTokensAreNone) {
  ScriptedTokens tokens;
  for (const char* token : {"", "a1a1a1a1", "script", "c0:APA91b"}) {
    EXPECT_FALSE(is_script(token)) << token;
    EXPECT_FALSE(tokens.take(FaultTarget::apns, token)) << token;
  }
}

TEST(ScriptedTokens, AScriptThatCannotBeReadIsRefused) {
  ScriptedTokens tokens;
  for (const std::string& token :
       {std::string("script:###"), std::string("7363726970743a7"), script("[1]"), script("{"),
        script(R"({"status":1})"), script(R"({"hang":true,"token":"x"})"),
        script(R"({"status":400,"form":"nowhere"})"),
        script(R"({"status":400,"form":"errno","reason":"x"})"), script(R"({"max_streams":0})"),
        script(R"({"goaway":"before"})"), script(R"({"cut":"never"})")}) {
    EXPECT_FALSE(parse_script(FaultTarget::webpush, token)) << token;
    const auto fault = tokens.take(FaultTarget::webpush, token);
    ASSERT_TRUE(fault) << token;
    EXPECT_EQ(fault->status, 400);
    EXPECT_EQ(fault->reason, "BadScript");
  }
}

}  // namespace
}  // namespace notify::simulator
