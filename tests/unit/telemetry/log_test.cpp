#include "telemetry/log.hpp"

#include <gtest/gtest.h>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "fakes/manual_clock.hpp"
#include "telemetry/log_limiter.hpp"

namespace notify::telemetry {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

static_assert(!std::is_constructible_v<LogField, std::string_view, base::Secret>);
static_assert(!std::is_constructible_v<LogField, std::string_view, base::UserId>);
static_assert(!std::is_constructible_v<LogField, std::string_view, config::Url>);

class LogTest : public ::testing::Test {
 protected:
  std::vector<std::string> lines() {
    std::vector<std::string> result;
    std::istringstream stream(text_.str());
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
  }
  Json only_line() {
    EXPECT_EQ(lines().size(), 1U) << text_.str();
    return Json::parse(lines().at(0));
  }

  fakes::ManualClock clock_;
  std::ostringstream text_;
};

TEST_F(LogTest, ALineIsAJsonObjectWithWhatIsKnown) {
  LogOutput output({.node = "node-1"}, clock_, text_);
  const auto trace = parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const Log log = Log(output, "deliver").traced(*trace);
  log.warn("the provider refused", {{"id", std::string("n-1")},
                                    {"status", 429},
                                    {"bytes", std::size_t{7}},
                                    {"took_ms", 1500us},
                                    {"last", true},
                                    {"code", base::Errc::overloaded}});
  EXPECT_EQ(lines().at(0),
            R"({"ts":"2026-09-21T14:13:20.000Z","level":"warn","msg":"the provider refused",)"
            R"("component":"deliver","node":"node-1",)"
            R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","id":"n-1","status":429,"bytes":7,)"
            R"("took_ms":1.5,"last":true,"code":"overloaded"})");
}

TEST_F(LogTest, LevelsBelowTheChosenAreNotWritten) {
  LogOutput output({.level = Level::warn}, clock_, text_);
  const Log log(output);
  log.info("no");
  log.warn("yes");
  EXPECT_EQ(only_line()["msg"], "yes");
  output.set_level(Level::trace);
  log.trace("now");
  output.flush();
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(LogTest, WhateverTheValuesAreALineIsOneLineOfValidJson) {
  LogOutput output({}, clock_, text_);
  const std::string control = "a\nb\"c\\d\x1b[31m\x7f\xc2\x9b";
  Log(output).error("odd", {{"control", control},
                            {"binary", std::string_view("\xff\xfe\0x", 4)},
                            {"nan", std::nan("")},
                            {"msg", "mine"},
                            {"long", std::string(5000, 'x')}});
  const Json json = only_line();
  EXPECT_EQ(json["control"], "a\nb\"c\\d?[31m??");
  EXPECT_EQ(json["binary"], "???x");
  EXPECT_TRUE(json["nan"].is_null());
  EXPECT_EQ(json["msg"], "odd");
  EXPECT_EQ(json["msg_"], "mine");
  EXPECT_EQ(json["long"].get<std::string>().size(), 2051U);
}

TEST_F(LogTest, ALongValueIsNotCutInsideACharacter) {
  LogOutput output({}, clock_, text_);
  std::string euros = "x";
  for (int i = 0; i < 1000; ++i) euros += "\xe2\x82\xac";
  Log(output).error("long", {{"euros", euros}});
  EXPECT_EQ(only_line()["euros"].get<std::string>().find('?'), std::string::npos);
}

TEST_F(LogTest, TextIsForPeopleAndCannotBeForged) {
  LogOutput output({.format = config::LogFormat::text}, clock_, text_);
  Log(output, "admin").error("a\nb", {{"who", "x y"}, {"path", "/a?b"}, {"evil", "1\n2"}});
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0],
            "2026-09-21T14:13:20.000Z error admin: a b who=\"x y\" path=/a?b evil=\"1\\n2\"");
}

TEST_F(LogTest, RepeatedMessagesAreLeftOutAndCounted) {
  LogOutput output({.repeats_per_second = 2}, clock_, text_);
  const Log log(output, "pg");
  for (int i = 0; i < 5; ++i) log.error("lost", {{"i", i}});
  log.error("other");
  Log(output, "redis").error("lost");
  output.flush();
  EXPECT_EQ(lines().size(), 5U) << text_.str();  // two, two others, and the word on the rest
  EXPECT_EQ(Json::parse(lines().back())["suppressed"], 3);
  EXPECT_EQ(Json::parse(lines().back())["message"], "pg: lost");

  for (int i = 0; i < 4; ++i) log.error("lost");
  clock_.advance(1s);
  log.error("lost");
  output.flush();
  EXPECT_EQ(Json::parse(lines().back())["suppressed"], 4);
  EXPECT_EQ(Json::parse(lines().back())["msg"], "lost");
}

TEST_F(LogTest, UsersAppearAsTheSameWordEverywhere) {
  LogOutput output({.user_key = base::Secret("0123456789abcdef")}, clock_, text_);
  const base::UserId user;
  Log(output).error("x", {{"user", Log(output).redact_user(user)}});
  EXPECT_EQ(only_line()["user"], Log(output).redact_user(user));
}

TEST_F(LogTest, LinesOfSeveralThreadsDoNotMix) {
  LogOutput output({.repeats_per_second = 0}, clock_, text_);
  const Log log(output);
  const auto write = [&log] {
    for (int i = 0; i < 200; ++i) log.error("line", {{"i", i}});
  };
  std::thread one(write);
  std::thread two(write);
  one.join();
  two.join();
  ASSERT_EQ(lines().size(), 400U);
  for (const std::string& line : lines()) EXPECT_TRUE(Json::accept(line)) << line;
}

TEST(LogLimiter, StaysBoundedWhateverTheMessages) {
  LogLimiter limiter(1);
  const base::SteadyTime now{};
  std::size_t written = 0;
  for (int i = 0; i < 5000; ++i) {
    if (limiter.ask("message " + std::to_string(i), now).write) ++written;
  }
  EXPECT_LE(written, LogLimiter::kKeysMax + 1);
  EXPECT_TRUE(limiter.ask("later", now + 2s).write);
}

}  // namespace
}  // namespace notify::telemetry
