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

TEST_F(DecodeTest, HoweverManyTextsAreBadTheListOfThemHasABound) {
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) bytes += field(5, kBad);
  EXPECT_LE(bad_fields(bytes).size(), 100u);
}

TEST_F(DecodeTest, FieldsOfALaterVersionAreNoMistake) {
  EXPECT_FALSE(decode_bytes(field(4, "message") + field(900, kBad)));
}

struct DecodeItemsTest : DecodeTest {
  SpoiltItems spoilt;

  std::optional<rules::Violations> decode_all(const std::string& bytes,
                                              google::protobuf::Message& message) {
    const grpc::Slice slice(bytes);
    grpc::ByteBuffer buffer(&slice, 1);
    return decode_items(buffer, message, *notification::SendNotificationRequest::descriptor(),
                        spoilt);
  }
  Names names_of(std::size_t place) {
    Names names;
    for (const auto& violation : spoilt.at(place)) names.push_back(violation.field);
    return names;
  }
};

TEST_F(DecodeItemsTest, OnlyTheItemWithABadTextIsSpoilt) {
  notification::BatchSendNotificationsRequest batch;
  const std::string good = field(4, "message") + field(5, "Good");
  EXPECT_FALSE(decode_all(
      field(1, good) + field(1, field(5, kBad) + field(6, kBad)) + field(1, "") + field(1, good),
      batch));
  ASSERT_EQ(batch.notifications_size(), 4);
  ASSERT_EQ(spoilt.size(), 1u);
  EXPECT_EQ(names_of(1), (Names{"title", "body"}));
  EXPECT_EQ(batch.notifications(0).title(), "Good");
  EXPECT_EQ(batch.notifications(3).type(), "message");
}

TEST_F(DecodeItemsTest, AGoodBatchHasNoSpoiltItem) {
  notification::BatchSendNotificationsRequest batch;
  EXPECT_FALSE(decode_all(field(1, field(5, "Good")) + field(1, field(5, "Good")), batch));
  EXPECT_EQ(batch.notifications_size(), 2);
  EXPECT_TRUE(spoilt.empty());
}

TEST_F(DecodeItemsTest, AnItemOfAStreamKeepsItsSequence) {
  notification::StreamNotificationsRequest message;
  const std::string sequence = "\x08\x2A";  // field 1, varint 42
  EXPECT_FALSE(decode_all(field(1, field(2, field(7, field(1, "k") + field(2, kBad))) + sequence) +
                              field(1, field(2, field(5, "Good"))),
                          message));
  ASSERT_EQ(message.items_size(), 2);
  EXPECT_EQ(message.items(0).sequence(), 42u);
  EXPECT_EQ(names_of(0), (Names{"data.value"})) << "as a single request names it";
  EXPECT_EQ(message.items(1).notification().title(), "Good");
}

TEST_F(DecodeItemsTest, AnItemThatIsNoProtobufIsSpoiltAlone) {
  notification::BatchSendNotificationsRequest batch;
  EXPECT_FALSE(decode_all(field(1, "\xFF\xFF") + field(1, field(5, "Good")), batch));
  ASSERT_EQ(batch.notifications_size(), 2);
  EXPECT_EQ(names_of(0), (Names{"*"}));
  notification::StreamNotificationsRequest message;
  spoilt.clear();
  EXPECT_FALSE(decode_all(field(1, field(2, "\xFF\xFF")) + field(1, "\xFF"), message));
  ASSERT_EQ(message.items_size(), 2);
  EXPECT_EQ(names_of(0), (Names{"notification"}));
  EXPECT_EQ(names_of(1), (Names{"*"}));
}

TEST_F(DecodeItemsTest, ARequestThatIsNoProtobufIsRefusedAsAWhole) {
  notification::BatchSendNotificationsRequest batch;
  const auto violations = decode_all("\xFF\xFF\xFF", batch);
  ASSERT_TRUE(violations);
  EXPECT_EQ(violations->front().field, "*");
}

TEST_F(DecodeItemsTest, AFieldOfALaterVersionDisturbsNoItem) {
  notification::BatchSendNotificationsRequest batch;
  EXPECT_FALSE(decode_all(field(900, kBad) + field(1, field(5, kBad)), batch));
  EXPECT_EQ(batch.notifications_size(), 1);
  EXPECT_EQ(names_of(0), (Names{"title"}));
}

}  // namespace
}  // namespace notify::edges
