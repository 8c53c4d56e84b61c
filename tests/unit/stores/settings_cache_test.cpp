#include "stores/settings_cache.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_settings.hpp"
#include "fakes/node.hpp"
#include "fakes/run.hpp"
#include "fakes/samples.hpp"

namespace notify::stores {
namespace {

using namespace std::chrono_literals;
using fakes::Node;
using fakes::Outside;
using fakes::sample_user;

struct SettingsCacheTest : testing::Test {
  Outside outside;
  Node node{outside, "a", {}};
  Node other{outside, "b", {}};

  SettingsCacheTest() {
    node.keep_alive();
    outside.time.run_for(1s);
  }
  void mute_all(int user = 1) {
    rules::UserColumns columns;
    columns.notifications_enabled = false;
    outside.settings.put(sample_user(user), columns);
  }
  SettingsPtr read(int user = 1) {
    return node.run(node.settings_cache.find(sample_user(user))).value();
  }
  SettingsPtr read_at(Node& at, int user = 1) {
    return at.run(at.settings_cache.find(sample_user(user))).value();
  }
  /// As old as it has to be to be shared.
  void have_muted_long_ago() {
    mute_all();
    outside.time.run_for(20s);
  }
  SettingsPtr peek(int user = 1) { return node.settings_cache.peek(sample_user(user)); }
};

TEST_F(SettingsCacheTest, WhoHasSetNothingIsRememberedAsSuch) {
  EXPECT_EQ(peek(), nullptr);
  EXPECT_EQ(read(), default_settings());
  EXPECT_EQ(peek(), default_settings());
  EXPECT_EQ(node.settings_read, 1u);
  EXPECT_EQ(node.settings_cached, 1u);
}

TEST_F(SettingsCacheTest, AChangeIsSeenWithinASecond) {
  ASSERT_EQ(read(), default_settings());
  mute_all();
  outside.time.run_for(400ms);
  EXPECT_EQ(peek(), nullptr);
  EXPECT_FALSE(read()->user.notifications_enabled);
  EXPECT_FALSE(peek()->user.notifications_enabled);
  outside.settings.put(sample_user(), rules::UserColumns());
  outside.time.run_for(400ms);
  EXPECT_TRUE(read()->user.notifications_enabled);
}

TEST_F(SettingsCacheTest, AChangeOfAnotherUserChangesNothing) {
  ASSERT_EQ(read(1), default_settings());
  mute_all(2);
  outside.time.run_for(400ms);
  EXPECT_NE(peek(1), nullptr);
}

TEST_F(SettingsCacheTest, AChangeCountsOnceThoughItIsSeenAgainAndAgain) {
  mute_all();
  outside.time.run_for(1s);
  ASSERT_FALSE(read()->user.notifications_enabled);
  outside.time.run_for(3s);
  EXPECT_NE(peek(), nullptr);
  EXPECT_EQ(node.settings_read, 1u);
}

/// The answer of before the change comes after the look that saw it.
TEST_F(SettingsCacheTest, ASlowReaderCannotBringOldSettingsBack) {
  node.link.one_way = 300ms;
  std::optional<base::Expected<SettingsPtr>> slow;
  node.background.spawn(async::store_result(node.settings_cache.find(sample_user()), slow));
  // Nobody has shared them; they have been read from PostgreSQL, and are on their way back.
  outside.time.run_for(600ms + 310ms);
  mute_all();
  outside.time.run_until([&slow] { return slow.has_value(); });
  EXPECT_TRUE((**slow)->user.notifications_enabled);
  outside.time.run_for(1500ms);
  EXPECT_EQ(peek(), nullptr);
}

TEST_F(SettingsCacheTest, WhoCannotLookTrustsNothingItRemembers) {
  ASSERT_EQ(read(), default_settings());
  node.settings.fault.fail(base::Errc::unavailable);
  outside.time.run_for(8s);
  EXPECT_NE(peek(), nullptr) << "a short cut is bridged";
  mute_all();
  outside.time.run_for(4s);
  EXPECT_EQ(peek(), nullptr);
  EXPECT_FALSE(node.run(node.settings_cache.find(sample_user())));
  EXPECT_TRUE(node.step_failed("look"));
  node.settings.fault.clear();
  outside.time.run_for(1s);
  EXPECT_EQ(peek(), nullptr) << "it was changed meanwhile";
  EXPECT_FALSE(read()->user.notifications_enabled);
}

TEST_F(SettingsCacheTest, TooManyChangesAtOnceMakeItForgetAll) {
  Node small(outside, "c", {.settings = {.changes_max = 3}});
  small.keep_alive();
  outside.time.run_for(1s);
  ASSERT_TRUE(small.run(small.settings_cache.find(sample_user(9))));
  for (int user = 1; user <= 5; ++user) mute_all(user);
  outside.time.run_for(400ms);
  EXPECT_EQ(small.settings_cache.peek(sample_user(9)), nullptr);
  EXPECT_EQ(small.settings_cache.size(), 0u);
}

/// Its answers about one user come back when the test lets them.
class HeldSource final : public SettingsSource {
 public:
  HeldSource(SettingsSource& inner, async::Timers& timers, base::UserId user)
      : inner_(inner), timers_(timers), user_(user) {}
  bool is_held = true;

  [[nodiscard]] async::Task<base::Expected<LoadedSettings>> load(std::vector<base::UserId> users,
                                                                 base::Deadline deadline) override {
    const bool is_about_user = std::find(users.begin(), users.end(), user_) != users.end();
    auto loaded = co_await inner_.load(std::move(users), deadline);
    while (is_about_user && is_held) co_await timers_.sleep_for(10ms);
    co_return loaded;
  }
  [[nodiscard]] async::Task<base::Expected<SettingsChanges>> changed_since(
      base::WallTime since, std::int32_t limit, base::Deadline deadline) override {
    return inner_.changed_since(since, limit, deadline);
  }

 private:
  SettingsSource& inner_;
  async::Timers& timers_;
  base::UserId user_;
};

/// The settings of a user are read, changed, and the change is forgotten; then the answer comes.
struct LateAnswerTest : SettingsCacheTest {
  static constexpr int kUser = 9;
  HeldSource source{node.settings, node.loop.timers, sample_user(kUser)};
  SettingsCache cache{
      source,
      node.shared_settings,
      node.loop.timers,
      {.users_max = 4, .changes_max = 3},
      {.asked = [](SettingsFrom) {}, .step_failed = [](std::string_view, const base::Error&) {}},
      Node::no_escape()};
  std::optional<base::Expected<SettingsPtr>> late;

  LateAnswerTest() {
    cache.start();
    outside.time.run_for(1s);
    node.background.spawn(async::store_result(cache.find(sample_user(kUser)), late));
    outside.time.run_for(50ms);
  }
  ~LateAnswerTest() override { node.run(cache.stop()); }
  void look_up(std::initializer_list<int> users) {
    for (const int user : users) ASSERT_TRUE(node.run(cache.find(sample_user(user))));
  }
  void answer() {
    source.is_held = false;
    outside.time.run_until([this] { return late.has_value(); });
    EXPECT_TRUE((**late)->user.notifications_enabled);
  }
  bool is_muted() {
    return !(*node.run(cache.find(sample_user(kUser))))->user.notifications_enabled;
  }
};

TEST_F(LateAnswerTest, WhatIsReadWhileAllIsForgottenIsNotRemembered) {
  for (const int user : {1, 2, 3, kUser}) mute_all(user);  // the last is one too many
  // So slow to commit that one look finds them, and no later one.
  for (SettingsChange& change : outside.settings.changes) change.at -= 14'990ms;
  outside.time.run_for(400ms);
  answer();
  outside.time.run_for(1s);
  EXPECT_EQ(cache.peek(sample_user(kUser)), nullptr);
  EXPECT_TRUE(is_muted());
}

TEST_F(LateAnswerTest, WhatIsReadWhileOldOnesAreForgottenIsNotRemembered) {
  mute_all(kUser);
  outside.time.run_for(400ms);
  look_up({1, 2, 3});
  answer();
  look_up({4, 5});
  EXPECT_EQ(cache.peek(sample_user(kUser)), nullptr);
  EXPECT_TRUE(is_muted());
}

TEST_F(SettingsCacheTest, ItHoldsNoMoreUsersThanItsBound) {
  Node small(outside, "c", {.settings = {.users_max = 10}});
  small.keep_alive();
  outside.time.run_for(1s);
  for (int user = 1; user <= 40; ++user) {
    ASSERT_TRUE(small.run(small.settings_cache.find(sample_user(user))));
    EXPECT_LE(small.settings_cache.size(), 10u);
  }
  EXPECT_NE(small.settings_cache.peek(sample_user(40)), nullptr);
  EXPECT_EQ(small.settings_cache.peek(sample_user(1)), nullptr);
}

TEST_F(SettingsCacheTest, WhatIsRememberedIsReadAnewAfterAWhile) {
  ASSERT_EQ(read(), default_settings());
  outside.time.run_for(5min);
  EXPECT_NE(peek(), nullptr);
  outside.time.run_for(6min);
  EXPECT_EQ(peek(), nullptr);
}

TEST_F(SettingsCacheTest, WhatOneNodeHasReadAnotherNeedNotAskPostgresFor) {
  have_muted_long_ago();
  ASSERT_FALSE(read()->user.notifications_enabled);
  ASSERT_EQ(read(2), default_settings());
  other.keep_alive();
  outside.time.run_for(1s);
  EXPECT_FALSE(read_at(other)->user.notifications_enabled);
  EXPECT_EQ(read_at(other, 2), default_settings());
  EXPECT_EQ(other.settings_shared, 2u);
  EXPECT_EQ(other.settings.users_loaded, 0u);
  EXPECT_NE(other.settings_cache.peek(sample_user()), nullptr) << "and remembers it";
}

TEST_F(SettingsCacheTest, OnlyWhoNobodyHasSharedIsAskedFor) {
  ASSERT_TRUE(read(1));
  ASSERT_TRUE(read(3));
  other.keep_alive();
  outside.time.run_for(1s);
  const auto found = other.run(other.settings_cache.find_all(
      {sample_user(3), sample_user(2), sample_user(1), sample_user(2)}));
  for (const auto& one : found) EXPECT_EQ(*one, default_settings());
  EXPECT_EQ(other.settings.users_loaded, 1u);
  EXPECT_EQ(other.settings_shared, 2u);
  EXPECT_EQ(other.settings_read, 2u);
}

TEST_F(SettingsCacheTest, WhatIsSharedIsForgottenWithAChange) {
  ASSERT_EQ(read(), default_settings());
  outside.time.run_for(100ms);
  ASSERT_TRUE(outside.shared_settings.entries.contains(sample_user()));
  mute_all();
  outside.time.run_for(500ms);
  EXPECT_FALSE(outside.shared_settings.entries.contains(sample_user()));
}

TEST_F(SettingsCacheTest, OldDataThatComesBackIsNotTrusted) {
  ASSERT_EQ(read(), default_settings());
  outside.time.run_for(1s);
  const auto before = outside.shared_settings.entries;
  mute_all();
  outside.time.run_for(10min);
  EXPECT_FALSE(read()->user.notifications_enabled);
  outside.time.run_for(1s);
  outside.shared_settings.entries = before;
  other.keep_alive();  // it was not there when it was changed
  outside.time.run_for(1s);
  EXPECT_FALSE(read_at(other)->user.notifications_enabled);
  EXPECT_EQ(other.settings_shared, 0u);
  outside.time.run_for(1s);
  EXPECT_FALSE(
      outside.shared_settings.entries.at(sample_user()).shared.settings->user.notifications_enabled)
      << "and what was read instead has taken its place";
}

TEST_F(SettingsCacheTest, WhatWasLoadedAsItChangedIsNotShared) {
  mute_all();
  outside.time.run_for(1s);
  ASSERT_FALSE(read()->user.notifications_enabled);
  outside.time.run_for(1s);
  EXPECT_TRUE(outside.shared_settings.entries.empty());
}

TEST_F(SettingsCacheTest, WithoutSharingItAsksPostgresAtOnce) {
  node.shared_settings.fault.fail(base::Errc::unavailable);
  const auto asked_at = outside.clock.now();
  EXPECT_EQ(read(), default_settings());
  EXPECT_LE(outside.clock.now() - asked_at, 10ms);
  EXPECT_TRUE(node.step_failed("share"));
  const int strikes = node.shared_settings.fault.strikes();
  EXPECT_EQ(read(2), default_settings());
  EXPECT_EQ(node.shared_settings.fault.strikes(), strikes) << "for a while it is not tried again";
  node.shared_settings.fault.clear();
  outside.time.run_for(2s);
  EXPECT_EQ(read(3), default_settings());
  outside.time.run_for(1s);
  EXPECT_TRUE(outside.shared_settings.entries.contains(sample_user(3)));
}

TEST_F(SettingsCacheTest, WhoCannotLookTrustsNothingThatIsSharedEither) {
  ASSERT_EQ(read(), default_settings());
  other.keep_alive();
  outside.time.run_for(1s);
  other.settings.fault.fail(base::Errc::unavailable);
  outside.time.run_for(12s);
  EXPECT_FALSE(other.run(other.settings_cache.find(sample_user())));
  EXPECT_EQ(other.settings_shared, 0u);
}

TEST_F(SettingsCacheTest, WhoAsksAtOnceSharesAQuery) {
  std::vector<base::UserId> users;
  for (int i = 0; i < 100; ++i) users.push_back(sample_user(i % 3 + 1));
  const auto found = node.run(node.settings_cache.find_all(users));
  ASSERT_EQ(found.size(), 100u);
  for (const auto& one : found) EXPECT_TRUE(one);
}

}  // namespace
}  // namespace notify::stores
