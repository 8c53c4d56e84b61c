// What only the hash in Redis can show: its fields, its lifetime, and what stands there by mistake.

#include "contract/stores/real_worlds.hpp"
#include "rules/settings_entry.hpp"

namespace notify::contract {
namespace {

struct RedisSettingsTest : testing::Test {
  RealQueueWorld world;
  base::WallTime started = world.now();
  base::UserId alice = fakes::sample_user(1);
  std::string key = "preferences:user:" + alice.to_string();

  static stores::SettingsPtr some(std::size_t conversations = 1) {
    auto settings = std::make_shared<stores::Settings>();
    settings->user.revision = 3;
    for (std::size_t i = 0; i < conversations; ++i) {
      base::Uuid::Bytes bytes{};
      bytes[0] = static_cast<std::uint8_t>(i / 256);
      bytes[1] = static_cast<std::uint8_t>(i % 256);
      settings->conversations[base::ConversationId(base::Uuid(bytes))] = {
          .level = rules::NotificationLevel::none};
    }
    return settings;
  }
  void put(stores::SettingsPtr settings, base::WallTime at) {
    std::vector<stores::SharedSettings> alone;
    alone.push_back({alice, std::move(settings), at});
    ASSERT_TRUE(world.run(world.sharing().put(std::move(alone), world.soon())));
  }
  bool is_found() {
    return world.run(world.sharing().find({alice}, world.soon())).value()[0].has_value();
  }
  std::string field(const std::string& name) { return redis_server().cli({"HGET", key, name}); }
};

TEST_F(RedisSettingsTest, ItIsAHashOfFourFieldsThatLivesForAnHour) {
  put(some(), started);
  EXPECT_EQ(redis_server().cli({"TYPE", key}), "hash");
  EXPECT_EQ(redis_server().cli({"HLEN", key}), "4");
  const int seconds = std::stoi(redis_server().cli({"TTL", key}));
  EXPECT_GT(seconds, 3590);
  EXPECT_LE(seconds, 3600);
  EXPECT_NE(field("global_settings").find("\"notifications_enabled\":true"), std::string::npos);
  EXPECT_NE(field("conversation_settings").find("\"notification_level\":\"none\""),
            std::string::npos);
  EXPECT_EQ(field("quiet_hours"), "{}");
  EXPECT_EQ(field("last_updated"), rules::encode_last_updated(started));
}

TEST_F(RedisSettingsTest, WhatCannotBeReadIsNotThereAndIsReplaced) {
  for (const char* odd : {"", "zzz", R"({"loaded_at":"2999-01-01T00:00:00.000Z","v":1})"}) {
    put(some(), started);
    redis_server().cli({"HSET", key, "last_updated", odd, "quiet_hours", "odd"});
    EXPECT_FALSE(is_found()) << odd;
    put(some(), started + std::chrono::milliseconds(1));
    EXPECT_TRUE(is_found()) << odd;
  }
  redis_server().cli({"HDEL", key, "quiet_hours"});
  EXPECT_FALSE(is_found());
}

TEST_F(RedisSettingsTest, AKeyOfAnotherTypeIsNotThereAndHurtsNobodyElse) {
  redis_server().cli({"SET", key, "odd"});
  EXPECT_FALSE(is_found());
  put(some(), started);
  EXPECT_FALSE(is_found());
}

TEST_F(RedisSettingsTest, WhatIsTooLargeIsNotShared) {
  put(some(3000), started);
  EXPECT_EQ(redis_server().cli({"EXISTS", key}), "0");
  put(some(1000), started);
  EXPECT_TRUE(is_found());
}

TEST_F(RedisSettingsTest, SettingsOfManyConversationsAreCompressed) {
  const stores::SettingsPtr many = some(500);
  put(many, started);
  EXPECT_LT(std::stoi(redis_server().cli({"HSTRLEN", key, "conversation_settings"})), 10'000);
  const auto found = world.run(world.sharing().find({alice}, world.soon()));
  ASSERT_TRUE(found);
  ASSERT_TRUE(found->at(0));
  EXPECT_EQ(found->at(0)->settings->conversations, many->conversations);
  // As if it had been cut.
  redis_server().cli({"HSET", key, "conversation_settings", "\x28\xb5\x2f\xfd"});
  EXPECT_FALSE(is_found());
}

TEST_F(RedisSettingsTest, AServerThatForgotTheScriptIsTaughtItAnew) {
  put(some(), started);
  redis_server().cli({"SCRIPT", "FLUSH"});
  redis_server().cli({"DEL", key});
  put(some(), started);
  EXPECT_TRUE(is_found());
}

}  // namespace
}  // namespace notify::contract
