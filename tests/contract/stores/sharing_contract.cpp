#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

const base::ConversationId kConversation(fakes::uuid("c0000000-0000-4000-8000-000000000001"));

class SharingContract : public QueueContract {
 protected:
  base::UserId alice = fakes::sample_user(1);
  base::UserId bob = fakes::sample_user(2);

  static stores::SettingsPtr muted(std::int32_t revision = 3) {
    auto settings = std::make_shared<stores::Settings>();
    settings->user.revision = revision;
    settings->user.notifications_enabled = false;
    settings->conversations[kConversation] = {.revision = 1,
                                              .level = rules::NotificationLevel::mentions};
    return settings;
  }
  void put(std::vector<stores::SharedSettings> settings) {
    ok(world->sharing().put(std::move(settings), world->soon()));
  }
  std::vector<std::optional<stores::SharedSettings>> find(std::vector<base::UserId> users) {
    auto found = world->run(world->sharing().find(std::move(users), world->soon()));
    EXPECT_TRUE(found) << (found ? "" : found.error().detail);
    return found ? *found : std::vector<std::optional<stores::SharedSettings>>(9);
  }
};

TEST_P(SharingContract, WhatNobodyHasSharedIsNotThere) {
  const auto found = find({alice, bob});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_FALSE(found[0]);
  EXPECT_FALSE(found[1]);
}

TEST_P(SharingContract, WhatWasSharedIsFoundAsItWas) {
  put({{alice, muted(), started}, {bob, stores::default_settings(), started - 1s}});
  const auto found = find({bob, fakes::sample_user(3), alice});
  ASSERT_EQ(found.size(), 3u);
  ASSERT_TRUE(found[0] && found[2]);
  EXPECT_FALSE(found[1]);
  EXPECT_EQ(found[0]->settings, stores::default_settings());
  EXPECT_EQ(found[0]->loaded_at, started - 1s);
  EXPECT_EQ(found[2]->user, alice);
  EXPECT_EQ(found[2]->loaded_at, started);
  EXPECT_EQ(found[2]->settings->user, muted()->user);
  EXPECT_EQ(found[2]->settings->conversations, muted()->conversations);
}

TEST_P(SharingContract, ASlowReaderCannotPutOldSettingsBack) {
  put({{alice, muted(7), started}});
  put({{alice, muted(6), started - 1ms}});
  EXPECT_EQ(find({alice})[0]->settings->user.revision, 7);
  put({{alice, muted(8), started + 1ms}});
  EXPECT_EQ(find({alice})[0]->settings->user.revision, 8);
}

TEST_P(SharingContract, WhatIsForgottenIsNotThere) {
  put({{alice, muted(), started}, {bob, muted(), started}});
  ok(world->sharing().forget({alice, fakes::sample_user(3)}, world->soon()));
  const auto found = find({alice, bob});
  EXPECT_FALSE(found[0]);
  EXPECT_TRUE(found[1]);
}

INSTANTIATE_TEST_SUITE_P(World, SharingContract, testing::ValuesIn(queue_worlds()));

}  // namespace
}  // namespace notify::contract
