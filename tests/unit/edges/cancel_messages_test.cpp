#include <gtest/gtest.h>

#include "edges/grpc/messages.hpp"
#include "fakes/samples.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;

constexpr const char* kSomeId = "01a0c450-6c00-7000-8000-000000000001";

struct CancelMessagesTest : testing::Test {
  pb::CancelNotificationRequest request;

  std::vector<std::string> bad_fields() const {
    const auto read = to_retraction(request);
    std::vector<std::string> fields;
    if (read) return fields;
    for (const auto& violation : read.error()) fields.push_back(violation.field);
    return fields;
  }
  using Fields = std::vector<std::string>;
};

TEST_F(CancelMessagesTest, AnIdAloneRetractsNothing) {
  request.set_notification_id(kSomeId);
  const auto read = to_retraction(request);
  ASSERT_TRUE(read);
  EXPECT_FALSE(*read);
  request.set_remove_shown(true);
  request.set_badge(0);
  const auto removing = to_retraction(request);
  ASSERT_TRUE(removing && *removing);
  EXPECT_EQ((*removing)->notification->to_string(), kSomeId);
  EXPECT_EQ((*removing)->badge, 0);
}

TEST_F(CancelMessagesTest, ASelectorIsReadAsItIs) {
  request.mutable_of_message()->set_user_id(fakes::sample_user().to_string());
  request.mutable_of_message()->set_message_id(kSomeId);
  const auto of_message = to_retraction(request);
  ASSERT_TRUE(of_message && *of_message);
  EXPECT_FALSE((*of_message)->notification);
  EXPECT_EQ((*of_message)->scope.user, fakes::sample_user());
  EXPECT_EQ((*of_message)->scope.message->to_string(), kSomeId);
  request.mutable_of_conversation()->set_user_id(fakes::sample_user().to_string());
  request.mutable_of_conversation()->set_conversation_id(kSomeId);
  const auto of_conversation = to_retraction(request);
  ASSERT_TRUE(of_conversation && *of_conversation);
  EXPECT_FALSE((*of_conversation)->scope.message || (*of_conversation)->up_to);
  EXPECT_EQ((*of_conversation)->scope.conversation->to_string(), kSomeId);
  request.mutable_of_conversation()->set_up_to_message_id(kSomeId);
  EXPECT_EQ((*to_retraction(request))->up_to->to_string(), kSomeId);
}

TEST_F(CancelMessagesTest, EveryWrongFieldIsNamed) {
  EXPECT_EQ(bad_fields(), (Fields{"notification_id"})) << "no selector at all";
  request.set_notification_id("1");
  request.set_badge(5);
  EXPECT_EQ(bad_fields(), (Fields{"notification_id", "badge"}));
  request.set_remove_shown(true);
  request.set_badge(1'000'001);
  EXPECT_EQ(bad_fields(), (Fields{"notification_id", "badge"}));
  request.set_badge(-1);
  request.mutable_of_message();
  EXPECT_EQ(bad_fields(),
            (Fields{"remove_shown", "of_message.user_id", "of_message.message_id", "badge"}));
  request.set_remove_shown(false);
  request.clear_badge();
  request.mutable_of_conversation()->set_up_to_message_id("x");
  EXPECT_EQ(bad_fields(), (Fields{"of_conversation.user_id", "of_conversation.conversation_id",
                                  "of_conversation.up_to_message_id"}));
}

TEST_F(CancelMessagesTest, TheAnswerAndTheRecordTellOfIt) {
  flows::Retracting done;
  done.withdrawn = 2;
  done.removed = 3;
  done.retractions = {*base::NotificationId::parse(kSomeId)};
  done.has_more = true;
  pb::CancelNotificationResponse response;
  encode(done, response);
  EXPECT_EQ(response.withdrawn(), 2);
  EXPECT_EQ(response.removed(), 3);
  EXPECT_EQ(response.retraction_ids(0), kSomeId);
  EXPECT_TRUE(response.has_more());

  stores::HistoryRecord record;
  record.notification = fakes::sample_notification(base::WallTime(std::chrono::hours(500'000)));
  record.notification.presentation.retracts = {{*base::NotificationId::parse(kSomeId), "", false}};
  record.retracted = rules::RetractionMark{record.notification.created_at(),
                                           base::NotificationId::parse(kSomeId), "chat"};
  pb::Notification told;
  encode(record, told);
  EXPECT_EQ(told.retracted_ids(0), kSomeId);
  EXPECT_EQ(told.retraction().retraction_id(), kSomeId);
  EXPECT_EQ(told.retraction().caller(), "chat");
  EXPECT_EQ(net::to_wall_time(told.retraction().retracted_at()), record.notification.created_at());
}

}  // namespace
}  // namespace notify::edges
