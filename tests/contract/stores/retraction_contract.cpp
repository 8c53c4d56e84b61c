// A call that retracts reads the history by a scope, and leaves marks.

#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

using rules::Status;
using Ids = std::vector<base::NotificationId>;

class RetractionContract : public LedgerContract {
 protected:
  static constexpr const char* kChat = "c0c0c0c0-0000-4000-8000-000000000001";

  rules::Notification in_chat(std::uint8_t n, std::chrono::milliseconds age,
                              std::uint8_t message = 1) {
    rules::Notification notification = sample(n, age);
    notification.conversation = base::ConversationId(fakes::uuid(kChat));
    notification.message =
        base::MessageId(base::uuid_v7_from(base::WallTime(), {0, 0, 0, 0, 0, 0, 0, 0, 3, message}));
    return notification;
  }
  static stores::RetractionScope scope() {
    stores::RetractionScope scope;
    scope.user = fakes::sample_user();
    scope.conversation = base::ConversationId(fakes::uuid(kChat));
    return scope;
  }
  void move_to(const rules::Notification& n, std::optional<Status> status,
               std::optional<stores::Due> due = {}) {
    stores::DeliveryRecord made;
    made.notification = n.id;
    made.at = n.created_at() + 500ms;
    made.status = status;
    made.due = std::move(due);
    record(std::move(made));
  }
  std::vector<stores::Retractable> read(const stores::RetractionScope& wanted,
                                        std::int32_t limit = 10) {
    auto found = world->run(world->history().retractable(wanted, limit, world->soon()));
    EXPECT_TRUE(found) << (found ? "" : found.error().detail);
    return found ? *std::move(found) : std::vector<stores::Retractable>{};
  }
  Ids ids(const stores::RetractionScope& wanted, std::int32_t limit = 10) {
    Ids found;
    for (const auto& one : read(wanted, limit)) found.push_back(one.record.notification.id);
    return found;
  }
};

TEST_P(RetractionContract, AScopeIsReadNewestFirstWithoutWhatIsOver) {
  const rules::Notification first = in_chat(1, 3s, 1);
  const rules::Notification second = in_chat(2, 2s, 2);
  rules::Notification stranger = in_chat(3, 1s);
  stranger.user = fakes::sample_user(2);
  const rules::Notification elsewhere = sample(4, 1s);
  rules::Notification retraction = in_chat(5, 1s);
  retraction.presentation.retracts = {{first.id, "thread-7", false}};
  const rules::Notification unwanted = in_chat(6, 1s);
  for (const auto& n : {first, second, stranger, elsewhere, retraction, unwanted}) append(n);
  move_to(unwanted, Status::suppressed);
  move_to(first, Status::delivered);

  EXPECT_EQ(ids(scope()), (Ids{second.id, first.id}));
  EXPECT_EQ(ids(scope(), 1), (Ids{second.id}));
  EXPECT_TRUE(read(scope())[0].waits);
  EXPECT_FALSE(read(scope())[1].waits);
  EXPECT_EQ(read(scope())[0].record.notification, second);

  stores::RetractionScope one = scope();
  one.conversation.reset();
  one.message = second.message;
  EXPECT_EQ(ids(one), (Ids{second.id}));
  stores::RetractionScope until = scope();
  until.up_to = first.id;
  EXPECT_EQ(ids(until), (Ids{first.id}));

  move_to(first, std::nullopt, stores::Due{started + 1min, stores::DueReason::retry, {}});
  EXPECT_TRUE(read(until)[0].waits) << "another device is to be tried";
}

TEST_P(RetractionContract, TheNewestOfAMessageIsFoundWhateverBecameOfIt) {
  const rules::Notification first = in_chat(1, 3s);
  const rules::Notification second = in_chat(2, 2s);
  append(first);
  append(second);
  move_to(second, Status::suppressed);
  stores::RetractionScope wanted = scope();
  wanted.message = first.message;
  EXPECT_EQ(world->run(world->history().newest_of(wanted, world->soon())).value(), second.id);
  wanted.user = fakes::sample_user(2);
  EXPECT_EQ(world->run(world->history().newest_of(wanted, world->soon())).error().code,
            base::Errc::not_found);
}

TEST_P(RetractionContract, AMarkIsWrittenOnceAndTheRestOfTheRecordStays) {
  const rules::Notification first = in_chat(1, 3s);
  const rules::Notification second = in_chat(2, 2s);
  append(first);
  append(second);
  move_to(first, Status::delivered);
  const rules::RetractionMark mark{started, sample(9).id, "spiffe://whispr/chat"};
  const rules::RetractionMark later{started + 5s, std::nullopt, ""};
  const auto write = [&](std::vector<stores::Ledger::Marked> marks) {
    EXPECT_TRUE(world->run(world->ledger().mark_retracted(std::move(marks), world->soon())));
  };
  write({});
  write({{first.id, mark}});
  write({{second.id, later}, {first.id, later}, {sample(77).id, later}});
  EXPECT_EQ(story(first.id).record.retracted, mark);
  EXPECT_EQ(story(second.id).record.retracted, later);
  EXPECT_EQ(story(first.id).record.status, Status::delivered);
  EXPECT_EQ(story(first.id).record.notification, first);
  EXPECT_TRUE(ids(scope()).empty());
}

INSTANTIATE_TEST_SUITE_P(World, RetractionContract, testing::ValuesIn(ledger_worlds()));

}  // namespace
}  // namespace notify::contract
