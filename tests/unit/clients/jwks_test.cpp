#include "clients/jwks.hpp"

#include <gtest/gtest.h>

#include "base/async/task_group.hpp"
#include "fakes/fake_time.hpp"
#include "fakes/run.hpp"
#include "unit/config/scratch_file.hpp"
#include "unit/crypto/test_keys.hpp"

namespace notify::clients {
namespace {

using namespace std::chrono_literals;
using namespace crypto_test;
using base::Errc;
using base::Expected;

/// A publisher of keys that takes 100 ms to answer.
class FakeKeySource final : public KeySource {
 public:
  explicit FakeKeySource(async::Timers& timers) : timers_(timers) {}

  async::Task<Expected<Document>> fetch(base::Deadline deadline) override {
    ++fetches;
    co_await timers_.sleep_until(is_hanging ? deadline : timers_.after(100ms).earlier_of(deadline));
    if (is_hanging) co_return base::fail(Errc::timed_out, "it hangs");
    if (is_down) co_return base::fail(Errc::unavailable, "it is down");
    co_return Document{json, max_age};
  }

  std::string json;
  std::optional<std::chrono::seconds> max_age;
  bool is_down = false;
  bool is_hanging = false;
  int fetches = 0;

 private:
  async::Timers& timers_;
};

struct JwksTest : testing::Test {
  fakes::ManualClock clock;
  fakes::FakeTime time{clock};
  fakes::FakeLoop loop{clock};
  FakeKeySource source{loop.timers};
  std::vector<std::string> fetched;
  Jwks jwks{source,
            loop.timers,
            {.on_fetched =
                 [this](const Expected<std::size_t>& keys) {
                   fetched.push_back(keys ? std::to_string(*keys) : keys.error().detail);
                 }},
            {}};
  async::TaskGroup group{loop.timers.executor(), {}};
  const Key a = make_ec_key("P-256");
  const Key b = make_ec_key("P-256");

  JwksTest() { time.add(loop); }
  ~JwksTest() override {
    group.spawn(jwks.stop());
    time.run_until([this] { return group.size() == 0; });
    time.remove(loop);
  }

  void publish(const std::string& keys) { source.json = R"({"keys":[)" + keys + "]}"; }

  static async::Task<void> ask(Jwks& jwks, std::optional<std::string> kid, base::Deadline deadline,
                               std::vector<std::string>& answers) {
    const auto key = co_await jwks.key(std::move(kid), deadline);
    answers.emplace_back(key ? "known" : base::name(key.error().code));
  }
  /// What the asking for a key comes to.
  std::string ask(std::optional<std::string> kid, std::chrono::milliseconds patience = 10s) {
    std::vector<std::string> answers;
    group.spawn(ask(jwks, std::move(kid), loop.timers.after(patience), answers));
    time.run_until([&] { return !answers.empty(); });
    return answers.empty() ? "nothing" : answers.front();
  }
};

TEST_F(JwksTest, TheFirstTokenWaitsForTheFirstFetchAndTheNextForNone) {
  publish(to_jwk(a, "a"));
  jwks.warm();
  EXPECT_EQ(ask("a"), "known");
  EXPECT_EQ(ask("a"), "known");
  EXPECT_EQ(ask(std::nullopt), "known");
  EXPECT_EQ(source.fetches, 1);
  EXPECT_EQ(fetched, std::vector<std::string>{"1"});
}

TEST_F(JwksTest, AllWhoWaitShareOneFetch) {
  publish(to_jwk(a, "a"));
  std::vector<std::string> answers;
  for (int i = 0; i < 5; ++i) {
    group.spawn(ask(jwks, "a", loop.timers.after(10s), answers));
  }
  time.run_until([&] { return answers.size() == 5; });
  EXPECT_EQ(answers, std::vector<std::string>(5, "known"));
  EXPECT_EQ(source.fetches, 1);
}

TEST_F(JwksTest, ANewKeyIsFoundWhenATokenNamesIt) {
  publish(to_jwk(a, "a"));
  EXPECT_EQ(ask("a"), "known");
  publish(to_jwk(a, "a") + "," + to_jwk(b, "b"));
  EXPECT_EQ(ask("b"), "known");
  EXPECT_EQ(source.fetches, 2);
}

TEST_F(JwksTest, NamesThatAreMadeUpCauseOneFetchInThirtySeconds) {
  publish(to_jwk(a, "a"));
  EXPECT_EQ(ask("a"), "known");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask("x" + std::to_string(i)), "unauthenticated");
  EXPECT_EQ(source.fetches, 2);
  EXPECT_EQ(ask("a"), "known");
  time.run_for(30s);
  EXPECT_EQ(ask("y"), "unauthenticated");
  EXPECT_EQ(source.fetches, 3);
}

TEST_F(JwksTest, AWithdrawnKeyIsForgottenWithTheNextFetch) {
  publish(to_jwk(a, "a"));
  source.max_age = 10min;
  EXPECT_EQ(ask("a"), "known");
  publish(to_jwk(b, "b"));
  time.run_for(9min);
  EXPECT_EQ(ask("a"), "known");
  time.run_for(2min);
  EXPECT_EQ(ask("a"), "known") << "the fetch has only begun: nobody waits for it";
  time.run_for(1s);
  EXPECT_EQ(ask("a"), "unauthenticated");
  EXPECT_EQ(ask("b"), "known");
}

TEST_F(JwksTest, FreshnessIsObeyedWithinBounds) {
  publish(to_jwk(a, "a"));
  source.max_age = 0s;
  EXPECT_EQ(ask("a"), "known");
  time.run_for(4min);
  EXPECT_EQ(ask("a"), "known");
  EXPECT_EQ(source.fetches, 1) << "five minutes at least";
  source.max_age = std::chrono::hours(24 * 365);
  time.run_for(2min);
  EXPECT_EQ(ask("a"), "known");
  time.run_for(23h);
  EXPECT_EQ(ask("a"), "known");
  EXPECT_EQ(source.fetches, 2);
  time.run_for(2h);
  EXPECT_EQ(ask("a"), "known");
  EXPECT_EQ(source.fetches, 3) << "a day at most";
}

TEST_F(JwksTest, WithoutItsPublisherTheLastKeysServeForABoundedTime) {
  publish(to_jwk(a, "a"));
  EXPECT_EQ(ask("a"), "known");
  source.is_down = true;
  time.run_for(1h + 5h);
  EXPECT_EQ(ask("a"), "known");
  EXPECT_EQ(ask("x"), "unauthenticated");
  time.run_for(2h);
  EXPECT_EQ(ask("a"), "unavailable") << "it never fails open";
  source.is_down = false;
  time.run_for(5s);
  EXPECT_EQ(ask("a"), "known");
}

TEST_F(JwksTest, WithoutKeysNobodyIsKnownAndThePublisherIsNotPestered) {
  source.is_down = true;
  EXPECT_EQ(ask("a"), "unavailable");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask("a"), "unavailable");
  EXPECT_EQ(source.fetches, 1);
  time.run_for(5s);
  EXPECT_EQ(ask("a"), "unavailable");
  EXPECT_EQ(source.fetches, 2);
}

TEST_F(JwksTest, ABadDocumentLeavesTheKeysAsTheyAre) {
  publish(to_jwk(a, "a"));
  EXPECT_EQ(ask("a"), "known");
  source.json = "<html>";
  EXPECT_EQ(ask("b"), "unauthenticated");
  EXPECT_EQ(ask("a"), "known");
  EXPECT_EQ(fetched.back(), "is not valid JSON");
}

TEST_F(JwksTest, WhoeverWaitsGoesAtTheirDeadline) {
  source.is_hanging = true;
  EXPECT_EQ(ask("a", 1s), "timed_out");
  EXPECT_EQ(ask("a", 10s), "unavailable");
}

TEST(KeyFile, IsReadWithinALimit) {
  boost::asio::io_context context(1);
  const auto fetch = [&context](const std::string& path) {
    KeyFile file(path);
    return fakes::run(context, file.fetch(base::Deadline::never()));
  };
  const config::ScratchFile good(R"({"keys":[]})");
  EXPECT_EQ(fetch(good.path()).value().json, R"({"keys":[]})");
  const config::ScratchFile large(std::string(70'000, ' '));
  EXPECT_EQ(fetch(large.path()).error().code, Errc::corrupt);
  EXPECT_EQ(fetch("/nonexistent/keys.json").error().code, Errc::unavailable);
  EXPECT_FALSE(fetch("/"));
}

TEST(MaxAge, IsReadFromCacheControl) {
  EXPECT_EQ(max_age_of("public, max-age=600"), 600s);
  EXPECT_EQ(max_age_of("Max-Age=600 ,must-revalidate"), 600s);
  EXPECT_EQ(max_age_of("max-age=600, no-store"), 0s);
  EXPECT_EQ(max_age_of("no-cache"), 0s);
  for (const char* none : {"", "public", "max-age", "max-age=", "max-age=x", "max-age=-1",
                           "s-maxage=5", "max-age=99999999999999999999", ",,,"}) {
    EXPECT_EQ(max_age_of(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace notify::clients
