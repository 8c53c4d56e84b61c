#include "rules/web_push_answer.hpp"

#include <gtest/gtest.h>

namespace notify::rules {
namespace {

using enum OutcomeKind;

const base::WallTime kPushAnsweredAt(std::chrono::milliseconds(1'790'000'000'000));

Outcome outcome(int status, std::string_view body = "", std::string_view retry_after = "",
                std::string_view wns = "") {
  return web_push_outcome({status, body, retry_after, wns}, kPushAnsweredAt);
}

TEST(WebPushOutcome, EveryStatusHasAConsequence) {
  const std::pair<int, OutcomeKind> all[] = {
      {200, accepted},    {201, accepted},        {202, accepted},        {204, accepted},
      {301, rejected},    {302, rejected},        {307, rejected},        {308, rejected},
      {400, rejected},    {401, bad_credentials}, {403, bad_credentials}, {404, token_gone},
      {405, rejected},    {406, retry_later},     {410, token_gone},      {413, rejected},
      {418, rejected},    {429, retry_later},     {500, retry_later},     {502, retry_later},
      {503, retry_later}, {504, retry_later}};
  for (const auto& [status, kind] : all) EXPECT_EQ(outcome(status).kind, kind) << status;
}

TEST(WebPushOutcome, AVendorsReasonGoesBeforeTheStatus) {
  EXPECT_EQ(outcome(403, R"({"reason":"VapidPkHashMismatch"})").kind, token_gone);
  EXPECT_EQ(outcome(400, R"({"reason":"VapidPkHashMismatch"})").kind, token_gone);
  EXPECT_EQ(outcome(403, R"({"reason":"BadJwtToken"})").kind, bad_credentials);
  EXPECT_EQ(outcome(400, R"({"reason":"BadJwtToken"})").kind, bad_credentials);
  EXPECT_EQ(outcome(400, R"({"code":400,"errno":109,"error":"x"})").kind, bad_credentials);
  EXPECT_EQ(outcome(400, R"({"code":400,"errno":110,"error":"x"})").kind, rejected);
  EXPECT_EQ(outcome(410, R"({"code":410,"errno":106,"error":"Gone"})").code, "410 errno 106");
  EXPECT_EQ(outcome(410, R"({"code":410,"errno":106,"error":"Gone"})").kind, token_gone);
  EXPECT_EQ(outcome(503, R"({"code":503,"errno":202})").kind, retry_later);
  EXPECT_EQ(outcome(502, R"({"code":502,"errno":902})").kind, retry_later);
}

TEST(WebPushOutcome, NoOtherWordGivesUpATokenThanOneAboutIt) {
  for (const char* reason : {"Unregistered", "BadDeviceToken", "Gone", "VapidPkHashMismatchX"}) {
    const std::string body = R"({"reason":")" + std::string(reason) + R"("})";
    for (const int status : {400, 401, 403, 413, 429, 500}) {
      EXPECT_NE(outcome(status, body).kind, token_gone) << status << ' ' << reason;
    }
  }
}

TEST(WebPushOutcome, MicrosoftSaysWhyInAHeader) {
  const Outcome refused = outcome(400, "", "", "Ttl value conflicts with X-WNS-Cache-Policy");
  EXPECT_EQ(refused.kind, rejected);
  EXPECT_EQ(refused.code, "400 Ttl value conflicts with XWNSCachePol");
  EXPECT_LE(refused.code.size(), 50u);
}

TEST(WebPushOutcome, ABodyIsNeverShownAsItIs) {
  EXPECT_EQ(outcome(400, R"({"reason":"<b>\n' OR 1=1"})").code, "400 b OR 11");
  EXPECT_EQ(outcome(400, "<html>").code, "400");
  EXPECT_LE(outcome(400, R"({"errno":-9223372036854775808})").code.size(), 50u);
}

TEST(WebPushOutcome, RetryAfterIsKept) {
  EXPECT_EQ(outcome(429, "", "120").retry_after, std::chrono::seconds(120));
  EXPECT_FALSE(outcome(429, "", "soon").retry_after);
}

}  // namespace
}  // namespace notify::rules
