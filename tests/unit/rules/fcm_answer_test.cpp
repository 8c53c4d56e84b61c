#include "rules/fcm_answer.hpp"

#include <gtest/gtest.h>

namespace notify::rules {
namespace {

using namespace std::chrono_literals;
using enum OutcomeKind;

constexpr base::WallTime kAnsweredAt{784111747s};  // Sun, 06 Nov 1994 08:49:07 GMT

std::string error(std::string_view status, std::string_view details,
                  std::string_view message = "text") {
  return R"({"error":{"code":0,"message":")" + std::string(message) + R"(","status":")" +
         std::string(status) + R"(","details":[)" + std::string(details) + "]}}";
}
std::string fcm_error(std::string_view code) {
  return R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":")" +
         std::string(code) + R"("})";
}
std::string violation(std::string_view field) {
  return R"({"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":")" +
         std::string(field) + R"(","description":"Invalid"}]})";
}
Outcome fcm_outcome_of(int status, std::string_view body, std::string_view retry_after = "") {
  return fcm_outcome(parse_fcm_answer(status, body, retry_after, kAnsweredAt));
}

TEST(FcmOutcome, FollowsFirebasesTable) {
  const struct {
    int status;
    std::string body;
    OutcomeKind kind;
    std::string code;
  } cases[] = {
      {200, R"({"name":"projects/p/messages/1"})", accepted, ""},
      {404, error("NOT_FOUND", fcm_error("UNREGISTERED")), token_gone, "404 UNREGISTERED"},
      {403, error("PERMISSION_DENIED", fcm_error("SENDER_ID_MISMATCH")), token_gone,
       "403 SENDER_ID_MISMATCH"},
      {400, error("INVALID_ARGUMENT", violation("message.data[0].value")), rejected,
       "400 INVALID_ARGUMENT"},
      {400, error("INVALID_ARGUMENT", violation("message.token")), token_gone,
       "400 INVALID_ARGUMENT"},
      {400, error("INVALID_ARGUMENT", violation("message.fid")), token_gone,
       "400 INVALID_ARGUMENT"},
      {400,
       error("INVALID_ARGUMENT", fcm_error("INVALID_ARGUMENT") + "," + violation("message.token")),
       token_gone, "400 INVALID_ARGUMENT"},
      {400,
       error("INVALID_ARGUMENT", fcm_error("INVALID_ARGUMENT"),
             "The registration token is not a valid FCM registration token"),
       token_gone, "400 INVALID_ARGUMENT"},
      {400, error("INVALID_ARGUMENT", fcm_error("INVALID_ARGUMENT"), "Request contains an error"),
       rejected, "400 INVALID_ARGUMENT"},
      {429, error("RESOURCE_EXHAUSTED", fcm_error("QUOTA_EXCEEDED")), retry_later,
       "429 QUOTA_EXCEEDED"},
      {429, error("RESOURCE_EXHAUSTED", ""), retry_later, "429 RESOURCE_EXHAUSTED"},
      {503, error("UNAVAILABLE", fcm_error("UNAVAILABLE")), retry_later, "503 UNAVAILABLE"},
      {500, error("INTERNAL", fcm_error("INTERNAL")), retry_later, "500 INTERNAL"},
      {401, error("UNAUTHENTICATED", fcm_error("THIRD_PARTY_AUTH_ERROR")), bad_credentials,
       "401 THIRD_PARTY_AUTH_ERROR"},
      {401, error("UNAUTHENTICATED", fcm_error("APNS_AUTH_ERROR")), bad_credentials,
       "401 APNS_AUTH_ERROR"},
      {401, error("UNAUTHENTICATED", ""), bad_credentials, "401 UNAUTHENTICATED"},
      {403, error("PERMISSION_DENIED", ""), bad_credentials, "403 PERMISSION_DENIED"},
      {404, error("NOT_FOUND", ""), bad_credentials, "404 NOT_FOUND"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = fcm_outcome_of(c.status, c.body);
    EXPECT_EQ(outcome.kind, c.kind) << c.body;
    EXPECT_EQ(outcome.code, c.code) << c.body;
  }
}

TEST(FcmOutcome, ATokenIsDroppedOnlyIfNothingElseIsWrong) {
  EXPECT_EQ(fcm_outcome_of(400, error("INVALID_ARGUMENT", violation("message.token") + "," +
                                                              violation("message.android.ttl")))
                .kind,
            rejected);
  EXPECT_EQ(fcm_outcome_of(400, error("INVALID_ARGUMENT", violation("message.android.ttl"),
                                      "not a valid FCM registration token"))
                .kind,
            rejected);
}

TEST(FcmOutcome, AnUnknownAnswerIsJudgedByItsStatusAndDropsNoToken) {
  for (const std::string& body :
       {std::string(), std::string("<html>"), std::string("[]"), std::string("null"),
        error("SOMETHING", fcm_error("SOMETHING_NEW")), error("", ""),
        std::string(R"({"error":"text"})"),
        std::string(R"({"error":{"details":[1,{"@type":7}]}})")}) {
    for (int status = 100; status < 600; ++status) {
      const Outcome outcome = fcm_outcome_of(status, body);
      EXPECT_NE(outcome.kind, token_gone) << status << body;
      EXPECT_EQ(outcome.kind == accepted, status == 200) << status << body;
      EXPECT_LE(outcome.code.size(), 50u);
    }
    EXPECT_EQ(fcm_outcome_of(401, body).kind, bad_credentials);
    EXPECT_EQ(fcm_outcome_of(404, body).kind, bad_credentials);
    EXPECT_EQ(fcm_outcome_of(413, body).kind, rejected);
    EXPECT_EQ(fcm_outcome_of(429, body).kind, retry_later);
    EXPECT_EQ(fcm_outcome_of(502, body).kind, retry_later);
  }
}

TEST(FcmOutcome, ComesBackWhenFcmSays) {
  const std::string quota = error("RESOURCE_EXHAUSTED", fcm_error("QUOTA_EXCEEDED"));
  EXPECT_EQ(fcm_outcome_of(429, quota).retry_after, std::nullopt);
  EXPECT_EQ(fcm_outcome_of(429, quota).retry_min, 60s);
  EXPECT_EQ(fcm_outcome_of(429, quota, "7").retry_after, 7s);
  EXPECT_EQ(fcm_outcome_of(503, "", "Sun, 06 Nov 1994 08:49:37 GMT").retry_after, 30s);
  EXPECT_EQ(fcm_outcome_of(503, "").retry_min, 10s);
}

TEST(FcmOutcome, OnlyA401WithoutAnFcmErrorIsAboutTheAccessToken) {
  const auto refuses = [](int status, const std::string& body) {
    return refuses_access_token(parse_fcm_answer(status, body, "", kAnsweredAt));
  };
  EXPECT_TRUE(refuses(401, error("UNAUTHENTICATED", "")));
  EXPECT_TRUE(refuses(401, ""));
  EXPECT_FALSE(refuses(401, error("UNAUTHENTICATED", fcm_error("THIRD_PARTY_AUTH_ERROR"))));
  EXPECT_FALSE(refuses(403, error("PERMISSION_DENIED", "")));
}

TEST(FcmOutcome, WhatAPeerWritesDoesNotReachARow) {
  const Outcome outcome = fcm_outcome_of(400, error("in the <b>body</b>", "", "a token"));
  EXPECT_EQ(outcome.code, "400");
  EXPECT_EQ(outcome.message, "FCM refuses the request");
}

}  // namespace
}  // namespace notify::rules
