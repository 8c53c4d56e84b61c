#include "edges/grpc/decode.hpp"

#include <gtest/gtest.h>

#include "notification/notification.pb.h"

namespace notify::edges {
namespace {

constexpr const char* kBad = "\xC3\x28";

struct DecodeTest : testing::Test {
  notification::SendNotificationRequest parsed;

  std::optional<rules::Violations> decode_bytes(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    grpc::ByteBuffer buffer(&slice, 1);
    return decode(buffer, parsed);
  }
  /// A field of the wire format: number, length, bytes.
  static std::string field(int number, const std::string& bytes) {
    const auto varint = [](unsigned value) {
      std::string text;
      for (; value >= 128; value >>= 7) text += static_cast<char>(value | 128);
      return text + static_cast<char>(value);
    };
    return varint(static_cast<unsigned>(number) << 3 | 2) +
           varint(static_cast<unsigned>(bytes.size())) + bytes;
  }
  std::vector<std::string> bad_fields(const std::string& bytes) {
    std::vector<std::string> names;
    const auto violations = decode_bytes(bytes);
    if (!violations) return names;
    for (const auto& violation : *violations) names.push_back(violation.field);
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_F(DecodeTest, GoodBytesAreParsed) {
  EXPECT_FALSE(decode_bytes(field(4, "message") + field(5, "\xC3\x9C")));
  EXPECT_EQ(parsed.type(), "message");
  EXPECT_EQ(parsed.title(), "\xC3\x9C");
}

TEST_F(DecodeTest, AnEmptyRequestIsParsed) { EXPECT_FALSE(decode_bytes("")); }

TEST_F(DecodeTest, TheFieldThatIsNotUtf8IsNamed) {
  EXPECT_EQ(bad_fields(field(4, "message") + field(5, kBad)), (Names{"title"}));
}

TEST_F(DecodeTest, AllFieldsThatAreNotUtf8AreNamed) {
  EXPECT_EQ(bad_fields(field(5, kBad) + field(6, "good") + field(10, kBad)),
            (Names{"title", "collapse_id"}));
}

TEST_F(DecodeTest, TheKeyOrValueOfAMapIsNamed) {
  EXPECT_EQ(bad_fields(field(7, field(1, "key") + field(2, kBad))), (Names{"data.value"}));
  EXPECT_EQ(bad_fields(field(16, field(1, kBad) + field(2, "value"))), (Names{"labels.key"}));
}

TEST_F(DecodeTest, ANestedFieldIsNamedWithItsPath) {
  notification::GetNotificationResponse nested;
  const std::string bytes = field(1, field(5, "message") + field(8, field(2, kBad)));
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer buffer(&slice, 1);
  const auto violations = decode(buffer, nested);
  ASSERT_TRUE(violations);
  ASSERT_EQ(violations->size(), 1u);
  EXPECT_EQ(violations->front().field, "notification.data.value");
}

TEST_F(DecodeTest, TheBadBytesAreNotQuoted) {
  const auto violations = decode_bytes(field(5, std::string("secret") + kBad));
  ASSERT_TRUE(violations);
  EXPECT_EQ(violations->front().description.find("secret"), std::string::npos);
}

TEST_F(DecodeTest, WhatIsNoProtobufAtAllIsSaidOfTheWhole) {
  const auto violations = decode_bytes("\xFF\xFF\xFF");
  ASSERT_TRUE(violations);
  ASSERT_EQ(violations->size(), 1u);
  EXPECT_EQ(violations->front().field, "*");
  EXPECT_NE(violations->front().description.find("SendNotificationRequest"), std::string::npos);
}

TEST_F(DecodeTest, FieldsOfALaterVersionAreNoMistake) {
  EXPECT_FALSE(decode_bytes(field(4, "message") + field(900, kBad)));
}

}  // namespace
}  // namespace notify::edges
