#include "stores/template_cache.hpp"

#include <gtest/gtest.h>

#include "base/async/task_group.hpp"
#include "fakes/fake_templates.hpp"
#include "fakes/fake_time.hpp"

namespace notify::stores {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using Ready = TemplateCache::Ready;

struct TemplateCacheTest : testing::Test {
  fakes::ManualClock clock;
  fakes::FakeTime time{clock};
  fakes::FakeLoop loop{clock};
  fakes::FakeLink link{loop.timers};
  fakes::FakeTemplates origin{link};
  async::TaskGroup group{loop.timers.executor(), {}};
  TemplateCache cache{origin, loop.timers, {.ttl = 1s, .templates_max = 3}};

  TemplateCacheTest() {
    time.add(loop);
    for (const char* name : {"a", "b", "c", "d"}) put(name, "{{x}}");
  }
  ~TemplateCacheTest() override { time.remove(loop); }

  void put(const std::string& name, const std::string& title) {
    origin.put(name, "message", R"({"title":")" + title + R"("})");
  }
  base::Expected<Ready> ask(const std::string& name) {
    std::optional<base::Expected<Ready>> answer;
    group.spawn(async::store_result(cache.find(name, base::Deadline::never()), answer));
    EXPECT_TRUE(time.run_until([&] { return answer.has_value(); }));
    return std::move(answer.value());
  }
};

TEST_F(TemplateCacheTest, AsksOnceParsesOnceAndForgetsInTime) {
  const Ready first = ask("a").value();
  EXPECT_EQ(first->name, "a");
  EXPECT_EQ(first->type, "message");
  EXPECT_EQ(first->revision, 1);
  EXPECT_EQ(first->text.render("", {{"x", "1"}})->title, "1");
  put("a", "{{y}}");
  EXPECT_EQ(ask("a").value(), first);
  EXPECT_EQ(origin.finds, 1u);
  time.run_for(1s);
  EXPECT_EQ(ask("a").value()->text.required(), (std::vector<std::string>{"y"}));
  EXPECT_EQ(first->text.required(), (std::vector<std::string>{"x"}));
}

TEST_F(TemplateCacheTest, ThatThereIsNoneIsRememberedTooAndThatItIsBroken) {
  origin.put("broken", "message", R"({"title":"{{x"})");
  origin.put("odd", "message", "[]");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ask("nobody").error().code, Errc::not_found);
    EXPECT_EQ(ask("broken").error().code, Errc::corrupt);
    EXPECT_EQ(ask("odd").error().code, Errc::corrupt);
  }
  EXPECT_EQ(origin.finds, 3u);
  EXPECT_EQ(ask("broken").error().detail,
            "the template broken is stored with mistakes: title has a tag without its end \"}}\" "
            "at character 1");
}

TEST_F(TemplateCacheTest, AFailureIsNotRemembered) {
  origin.faults.find.fail(Errc::unavailable, 1);
  EXPECT_EQ(ask("a").error().code, Errc::unavailable);
  EXPECT_TRUE(ask("a"));
}

TEST_F(TemplateCacheTest, ThoseWhoAskAtOnceShareOneQuestion) {
  std::vector<std::optional<base::Expected<Ready>>> answers(20);
  for (auto& answer : answers) {
    group.spawn(async::store_result(cache.find("a", base::Deadline::never()), answer));
  }
  time.run_for(1s);
  for (const auto& answer : answers) EXPECT_TRUE(answer && *answer);
  EXPECT_EQ(origin.finds, 1u);
}

TEST_F(TemplateCacheTest, TheOneAskedForLongestAgoIsForgottenFirst) {
  for (const char* name : {"a", "b", "c", "a", "d"}) (void)ask(name);
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_EQ(origin.finds, 4u);
  for (const char* name : {"a", "c", "d"}) (void)ask(name);
  EXPECT_EQ(origin.finds, 4u);
  (void)ask("b");
  EXPECT_EQ(origin.finds, 5u);
}

TEST_F(TemplateCacheTest, AfterAChangeItAsksAnewAndAnAnswerFromBeforeIsNotKept) {
  (void)ask("a");
  put("a", "{{y}}");
  cache.invalidate();
  EXPECT_EQ(ask("a").value()->text.required(), (std::vector<std::string>{"y"}));

  // A question that is on its way when the change is told of.
  cache.invalidate();
  std::optional<base::Expected<Ready>> early;
  group.spawn(async::store_result(cache.find("a", base::Deadline::never()), early));
  time.run_for(1ms);
  ASSERT_FALSE(early);
  put("a", "{{z}}");
  cache.invalidate();
  EXPECT_EQ(ask("a").value()->text.required(), (std::vector<std::string>{"z"}));
  ASSERT_TRUE(early && *early);
  EXPECT_EQ(ask("a").value()->text.required(), (std::vector<std::string>{"z"}));
  EXPECT_EQ(origin.finds, 4u);
}

TEST_F(TemplateCacheTest, WhoWaitsForACancelledQuestionIsToldSo) {
  async::TaskGroup leaders(loop.timers.executor(), {});
  std::optional<base::Expected<Ready>> leader;
  std::optional<base::Expected<Ready>> waiter;
  leaders.spawn(async::store_result(cache.find("a", base::Deadline::never()), leader));
  time.run_for(0ms);
  group.spawn(async::store_result(cache.find("a", base::Deadline::never()), waiter));
  time.run_for(0ms);
  leaders.cancel();
  time.run_for(1s);
  ASSERT_TRUE(waiter);
  EXPECT_EQ(waiter->error().code, Errc::cancelled);
  EXPECT_TRUE(ask("a"));
}

}  // namespace
}  // namespace notify::stores
