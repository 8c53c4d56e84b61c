#include "edges/grpc/status.hpp"

#include "edges/grpc/rpc_host.hpp"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace notify::edges {
namespace {

using base::Errc;

google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <class Detail>
std::optional<Detail> find(const grpc::Status& status) {
  Detail detail;
  const auto details = details_of(status);
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

flows::Refusal refusal(Errc code) { return {{code, "an inner detail"}, {}, {}}; }

rules::Violations violations(int count) {
  rules::Violations made;
  for (int i = 0; i < count; ++i) made.push_back({"field" + std::to_string(i), "is wrong"});
  return made;
}

TEST(ToStatus, ALimitIsNamedWithWhoseItIsWhatIsLeftAndWhenToComeBack) {
  flows::Refusal over = refusal(Errc::overloaded);
  over.retry_after = std::chrono::milliseconds(41'500);
  over.limit = {"user.1m", 60, 60, base::WallTime(std::chrono::milliseconds(0)), "user:u1"};
  const grpc::Status status = to_status(over);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto info = find<google::rpc::ErrorInfo>(status);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->reason(), "RATE_LIMITED");
  EXPECT_EQ(info->metadata().at("limit"), "user.1m");
  EXPECT_EQ(info->metadata().at("allowed"), "60");
  EXPECT_EQ(info->metadata().at("left"), "0");
  const auto quota = find<google::rpc::QuotaFailure>(status);
  ASSERT_TRUE(quota);
  EXPECT_EQ(quota->violations(0).subject(), "user:u1");
  EXPECT_EQ(quota->violations(0).description(),
            "limit user.1m = 60, counted 60, left 0; its window ends at 1970-01-01T00:00:00.000Z");
  const auto retry = find<google::rpc::RetryInfo>(status);
  ASSERT_TRUE(retry);
  EXPECT_EQ(retry->retry_delay().seconds(), 41);
  EXPECT_EQ(retry->retry_delay().nanos(), 500'000'000);
  EXPECT_NE(status.error_message().find("user.1m"), std::string::npos);
}

TEST(ToStatus, EveryErrorHasItsCodeAndAStableReason) {
  const std::tuple<Errc, grpc::StatusCode, const char*> expected[] = {
      {Errc::invalid, grpc::StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"},
      {Errc::not_found, grpc::StatusCode::NOT_FOUND, "NOT_FOUND"},
      {Errc::conflict, grpc::StatusCode::ABORTED, "CONFLICT"},
      {Errc::unauthenticated, grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED"},
      {Errc::permission_denied, grpc::StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED"},
      {Errc::overloaded, grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"},
      {Errc::unavailable, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE"},
      {Errc::timed_out, grpc::StatusCode::DEADLINE_EXCEEDED, "TIMED_OUT"},
      {Errc::cancelled, grpc::StatusCode::CANCELLED, "CANCELLED"},
      {Errc::corrupt, grpc::StatusCode::INTERNAL, "INTERNAL"},
      {Errc::internal, grpc::StatusCode::INTERNAL, "INTERNAL"},
  };
  for (const auto& [error, code, reason] : expected) {
    const grpc::Status status = to_status(refusal(error));
    EXPECT_EQ(status.error_code(), code) << reason;
    const auto info = find<google::rpc::ErrorInfo>(status);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->reason(), reason);
    EXPECT_EQ(info->domain(), "notification.whispr");
    EXPECT_EQ(details_of(status).code(), static_cast<int>(code));
    EXPECT_EQ(details_of(status).message(), status.error_message());
    EXPECT_FALSE(status.error_message().empty());
  }
}

TEST(ToStatus, WhatIsAboutATemplateSaysSo) {
  const auto about_template = [](Errc code) {
    flows::Refusal refused = refusal(code);
    refused.subject = flows::Subject::message_template;
    return to_status(refused);
  };
  EXPECT_EQ(about_template(Errc::not_found).error_message(), "there is no such template");
  const grpc::Status taken = about_template(Errc::already_exists);
  EXPECT_EQ(taken.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(find<google::rpc::ErrorInfo>(taken)->reason(), "TEMPLATE_EXISTS");
  EXPECT_EQ(about_template(Errc::conflict).error_code(), grpc::StatusCode::ABORTED);
}

TEST(ToStatus, InnerDetailsStayInside) {
  for (const Errc error : {Errc::unavailable, Errc::internal, Errc::corrupt, Errc::not_found}) {
    const grpc::Status status = to_status(refusal(error));
    EXPECT_EQ(status.error_message().find("inner detail"), std::string::npos);
    EXPECT_EQ(status.error_details().find("inner detail"), std::string::npos);
  }
}

TEST(ToStatus, ADelayIsARetryInfo) {
  flows::Refusal later = refusal(Errc::overloaded);
  later.retry_after = std::chrono::milliseconds(1250);
  const auto retry = find<google::rpc::RetryInfo>(to_status(later));
  ASSERT_TRUE(retry);
  EXPECT_EQ(retry->retry_delay().seconds(), 1);
  EXPECT_EQ(retry->retry_delay().nanos(), 250'000'000);
  EXPECT_FALSE(find<google::rpc::RetryInfo>(to_status(refusal(Errc::overloaded))));
}

TEST(ToStatus, ViolationsAreNamedAndTheFirstIsInTheMessage) {
  flows::Refusal wrong = refusal(Errc::invalid);
  wrong.violations = violations(1);
  EXPECT_EQ(to_status(wrong).error_message(), "field0 is wrong");
  wrong.violations = violations(3);
  const grpc::Status status = to_status(wrong);
  EXPECT_EQ(status.error_message(), "field0 is wrong (and 2 more, see the details)");
  const auto request = find<google::rpc::BadRequest>(status);
  ASSERT_TRUE(request);
  ASSERT_EQ(request->field_violations_size(), 3);
  EXPECT_EQ(request->field_violations(2).field(), "field2");
  EXPECT_EQ(request->field_violations(2).description(), "is wrong");
}

TEST(ToStatus, AtMostTwentyFiveViolationsAreNamed) {
  flows::Refusal wrong = refusal(Errc::invalid);
  wrong.violations = violations(25);
  EXPECT_EQ(find<google::rpc::BadRequest>(to_status(wrong))->field_violations_size(), 25);
  wrong.violations = violations(1000);
  const grpc::Status status = to_status(wrong);
  const auto request = find<google::rpc::BadRequest>(status);
  ASSERT_TRUE(request);
  ASSERT_EQ(request->field_violations_size(), 26);
  EXPECT_EQ(request->field_violations(25).field(), "*");
  EXPECT_EQ(request->field_violations(25).description(), "and 975 more");
  EXPECT_LT(status.error_details().size(), 8192u);
}

}  // namespace
}  // namespace notify::edges
