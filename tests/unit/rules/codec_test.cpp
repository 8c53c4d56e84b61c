#include "rules/codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "fakes/samples.hpp"

namespace notify::rules {
namespace {

using fakes::sample_notification;
using fakes::uuid;

const base::WallTime kCodedAt(std::chrono::milliseconds(1'790'000'000'000));

Notification full_notification() {
  Notification n = sample_notification(kCodedAt);
  n.conversation = base::ConversationId(uuid("c0000000-0000-4000-8000-000000000001"));
  n.message = base::MessageId(uuid("d0000000-0000-4000-8000-000000000001"));
  n.body = "line\nquote \" backslash \\ é 😀";
  n.presentation.data = {{"b", "2"}, {"a", "1"}};
  n.presentation.collapse_id = "chat";
  n.presentation.badge = 3;
  n.presentation.sound = "default";
  n.presentation.category = "C";
  n.presentation.mutable_content = true;
  n.labels = {{"campaign", "spring"}};
  n.priority = Priority::high;
  n.deliver_at = kCodedAt + std::chrono::minutes(5);
  return n;
}

TEST(QueueItem, RoundTrips) {
  const Notification n = full_notification();
  EXPECT_EQ(decode_queue_item(encode_queue_item(n)).value(), n);
}

TEST(QueueItem, HasItsIdWhereTheScriptsLookForIt) {
  const Notification n = full_notification();
  EXPECT_EQ(encode_queue_item(n).substr(kQueueItemIdOffset, 36), n.id.to_string());
  EXPECT_EQ(encode_queue_item(n).substr(kQueueItemUserOffset, 36), n.user.to_string());
}

// The bytes are a contract with the version before and the version after.
TEST(QueueItem, VersionOneIsWrittenLikeThis) {
  EXPECT_EQ(encode_queue_item(sample_notification(kCodedAt)),
            R"({"v":1,"id":"01a0c450-6c00-7000-8000-000000000001",)"
            R"("user":"a11ce000-0000-4000-8000-000000000001","type":"message","title":"Dora",)"
            R"("body":"Are you coming?","payload":{},"priority":"medium",)"
            R"("expires_at":1790014400000})");
}

TEST(QueueItem, AnUnknownKeyIsIgnoredAndAnUnknownVersionIsNot) {
  std::string item = encode_queue_item(sample_notification(kCodedAt));
  item.insert(item.size() - 1, R"(,"later":[1,2])");
  EXPECT_TRUE(decode_queue_item(item));
  item[5] = '2';
  EXPECT_EQ(decode_queue_item(item).error().code, base::Errc::corrupt);
}

TEST(QueueItem, RefusesWhatIsNotAnItem) {
  for (const char* text : {"", "{", "[]", "{}", R"({"v":1})", R"({"v":1,"id":"x"})"}) {
    EXPECT_FALSE(decode_queue_item(text)) << text;
  }
}

TEST(QueueItem, AnyTextSurvives) {
  EXPECT_TRUE(rc::check("any text survives the queue", [](const std::string& raw) {
    Notification n = sample_notification(kCodedAt);
    n.body.clear();
    for (const char c : raw) n.body += static_cast<char>(c & 0x7F);  // valid UTF-8
    n.presentation.data["key"] = n.body;
    RC_ASSERT(decode_queue_item(encode_queue_item(n)).value() == n);
  }));
}

TEST(Columns, RoundTrip) {
  const Notification n = full_notification();
  EXPECT_EQ(decode_presentation(encode_presentation(n.presentation)).value(), n.presentation);
  EXPECT_EQ(decode_metadata(encode_metadata(n, {}))->labels, n.labels);
  EXPECT_FALSE(decode_metadata(encode_metadata(n, {}))->template_used);
  EXPECT_EQ(encode_presentation({}), "{}");
}

TEST(Columns, TheTemplateIsOnRecordAndNotInTheQueue) {
  Notification n = full_notification();
  const std::string item = encode_queue_item(n);
  for (const char* locale : {"fr-CA", ""}) {
    n.template_used = TemplateUsed{"mention", 7, locale};
    EXPECT_EQ(decode_metadata(encode_metadata(n, {}))->template_used, n.template_used);
    EXPECT_EQ(decode_metadata(encode_metadata(n, {}))->labels, n.labels);
  }
  EXPECT_EQ(encode_queue_item(n), item);
  EXPECT_EQ(decode_metadata(encode_metadata(n, {}))->deliver_at, n.deliver_at);
  n.labels.clear();
  n.deliver_at.reset();
  EXPECT_EQ(encode_metadata(n, {}), R"({"template":{"name":"mention","revision":7}})");
}

}  // namespace
}  // namespace notify::rules
