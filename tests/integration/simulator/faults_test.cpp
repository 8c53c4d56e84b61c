#include "push-simulator/faults.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace notify::simulator {
namespace {

base::Expected<Fault> parse(const char* text) { return parse_fault(nlohmann::json::parse(text)); }

TEST(Faults, FirstThatFitsAppliesAndIsUsedUp) {
  FaultBook book;
  ASSERT_TRUE(book.add(*parse(R"({"token":"aa","status":503,"count":2})")));
  ASSERT_TRUE(book.add(*parse(R"({"status":429,"reason":"TooManyRequests","retry_after":3})")));
  EXPECT_EQ(book.take(FaultTarget::apns, "aa", "")->status, 503);
  EXPECT_EQ(book.take(FaultTarget::apns, "bb", "")->status, 429);
  EXPECT_EQ(book.take(FaultTarget::apns, "aa", "")->status, 503);
  EXPECT_FALSE(book.take(FaultTarget::apns, "aa", ""));
  EXPECT_EQ(book.size(), 0u);
}

TEST(Faults, MinusOneNeverEnds) {
  FaultBook book;
  ASSERT_TRUE(book.add(*parse(R"({"hang":true,"count":-1})")));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(book.take(FaultTarget::apns, "aa", ""));
  book.clear();
  EXPECT_FALSE(book.take(FaultTarget::apns, "aa", ""));
}

TEST(Faults, StayWithTheirTargetAndMethod) {
  FaultBook book;
  ASSERT_TRUE(book.add(
      *parse(R"({"target":"auth","method":"GetUserDevices","grpc_status":"UNAVAILABLE"})")));
  EXPECT_FALSE(book.take(FaultTarget::apns, "aa", ""));
  EXPECT_FALSE(book.take(FaultTarget::auth, "", "GetDeviceInfo"));
  EXPECT_EQ(book.take(FaultTarget::auth, "", "GetUserDevices")->grpc_status, 14);
}

TEST(Faults, EachKindIsUnderstood) {
  EXPECT_EQ(parse(R"({"delay_ms":5})")->kind, FaultKind::delay);
  EXPECT_EQ(parse(R"({"status":500,"delay_ms":5})")->kind, FaultKind::answer);
  EXPECT_EQ(parse(R"({"goaway":true,"reason":"Shutdown"})")->kind, FaultKind::goaway);
  EXPECT_EQ(parse(R"({"refuse_stream":true})")->kind, FaultKind::refuse_stream);
  EXPECT_EQ(parse(R"({"cut":"before"})")->kind, FaultKind::cut_before);
  EXPECT_EQ(parse(R"({"cut":"after"})")->kind, FaultKind::cut_after);
}

TEST(Faults, NonsenseIsRefusedInWords) {
  for (const char* text :
       {"[]", "{}", R"({"status":503,"hang":true})", R"({"cut":"sometimes"})", R"({"status":99})",
        R"({"status":"503"})", R"({"hang":true,"count":0})", R"({"delay_ms":-1})",
        R"({"target":"sms","hang":true})", R"({"target":"auth","status":503})",
        R"({"target":"user","cut":"after"})", R"({"target":"auth","grpc_status":"BROKEN"})",
        R"({"grpc_status":"UNAVAILABLE"})", R"({"hung":true})"}) {
    const auto fault = parse(text);
    ASSERT_FALSE(fault) << text;
    EXPECT_EQ(fault.error().code, base::Errc::invalid) << text;
    EXPECT_FALSE(fault.error().detail.empty()) << text;
  }
}

}  // namespace
}  // namespace notify::simulator
