#include "push-simulator/control_api.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fakes/manual_clock.hpp"

namespace notify::simulator {
namespace {

using nlohmann::json;

constexpr const char* kDevices = R"({"user_id":"00000000-0000-4000-8000-00000000000a","devices":[
  {"id":"00000000-0000-4000-8000-0000000000d1","platform":"ios","token":"aa",
   "app_id":"com.example.app","environment":"sandbox",
   "registered_at":"2026-01-02T03:04:05.678Z"}]})";

class Control : public ::testing::Test {
 protected:
  Control()
      : log_(std::move(ReceivedLog::open(std::filesystem::path(::testing::TempDir()) /
                                         "control_api_test.jsonl"))
                 .value()),
        api_({registry_, faults_, ledger_, auth_, user_calls_, unknown_users_, &log_, clock_,
              "com.example.app"}) {}

  ControlResponse call(std::string_view method, std::string_view target,
                       std::string_view body = {}) {
    return api_.handle({method, target, body});
  }
  json get(std::string_view target) { return json::parse(call("GET", target).body); }

  void receive(const std::string& id, std::string_view payload, bool is_json) {
    const std::array<ReceivedField, 1> fields{{{"token", "aa"}}};
    log_.append({.at = clock_.now(),
                 .provider = "apns",
                 .id = {"apns_id", id},
                 .fields = fields,
                 .status = 200,
                 .payload_is_json = is_json,
                 .payload = payload});
    ledger_.count({.token = "aa",
                   .id = id,
                   .notification_id = "n",
                   .payload = payload,
                   .status = 200,
                   .accepted = true});
  }

  fakes::ManualClock clock_;
  Registry registry_;
  FaultBook faults_;
  Ledger ledger_{Detail::full};
  AuthStats auth_;
  CallStats user_calls_;
  UnknownUsers unknown_users_;
  ReceivedLog log_;
  ControlApi api_;
};

TEST_F(Control, KeepsWhoDoesNotExist) {
  const auto user = *base::UserId::parse("00000000-0000-4000-8000-00000000000a");
  EXPECT_TRUE(unknown_users_.is_known(user));
  const std::string id = R"({"user_id":")" + user.to_string();
  EXPECT_EQ(call("PUT", "/users", id + R"(","known":false})").status, 204);
  EXPECT_FALSE(unknown_users_.is_known(user));
  EXPECT_EQ(call("PUT", "/users", id + R"(","known":true})").status, 204);
  EXPECT_TRUE(unknown_users_.is_known(user));
  EXPECT_EQ(call("PUT", "/users", R"({"user_id":"anna","known":true})").status, 400);
  EXPECT_EQ(call("PUT", "/users", id + "\"}").status, 400);
}

TEST_F(Control, KeepsWhatItIsToldOfDevices) {
  EXPECT_EQ(call("PUT", "/devices", kDevices).status, 204);
  const json device = get("/devices/aa")["device"];
  EXPECT_EQ(device["registered_at"], "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(device["environment"], "sandbox");
  EXPECT_EQ(device["dead"], false);
  EXPECT_EQ(call("PATCH", "/devices/aa", R"({"dead":true,"dead_since":1700000000123})").status,
            204);
  EXPECT_EQ(get("/devices/aa")["device"]["dead_since"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(call("PATCH", "/devices/bb", R"({"dead":true})").status, 404);
}

TEST_F(Control, RefusesNonsenseWithTheReason) {
  EXPECT_EQ(call("PUT", "/devices", "{").status, 400);
  EXPECT_EQ(call("PUT", "/devices", R"({"user_id":"anna","devices":[]})").status, 400);
  EXPECT_EQ(call("POST", "/devices/generate", R"({"per_user":1})").status, 400);
  EXPECT_EQ(call("POST", "/devices/generate", R"({"users":99999999})").status, 400);
  EXPECT_EQ(call("POST", "/faults", R"({"what":1})").status, 400);
  EXPECT_EQ(call("GET", "/received?since=x").status, 400);
  EXPECT_EQ(call("GET", "/nowhere").status, 404);
  EXPECT_TRUE(json::parse(call("POST", "/faults", "{}").body).contains("error"));
}

TEST_F(Control, CountsDuplicates) {
  receive("0190a5b2-0000-7000-8000-000000000001", R"({"n":1})", true);
  receive("0190a5b2-0000-7000-8000-000000000001", R"({"n":2})", true);
  receive("0190a5b2-0000-7000-8000-000000000002", R"({"n":3})", true);
  const json stats = get("/stats");
  EXPECT_EQ(stats["accepted"], 3);
  EXPECT_EQ(stats["distinct"], 2);
  EXPECT_EQ(stats["duplicates"], 1);
  EXPECT_EQ(stats["notification_duplicates"], 2);
  const json token = get("/devices/aa");
  EXPECT_EQ(token["accepted"], 3);
  EXPECT_EQ(token["ids"].size(), 3u);
  EXPECT_EQ(token["last_payload"]["n"], 3);
}

TEST_F(Control, PagesThroughWhatWasReceived) {
  receive("1", "{\n\"n\":\r\n1}", true);
  receive("2", "no \xFF json\n", false);
  receive("3", "{}", true);
  const json all = get("/received");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["payload"]["n"], 1);
  EXPECT_EQ(all[1]["payload"], "no \xC3\xBF json\n");
  const json page = get("/received?since=1&limit=1");
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0]["apns_id"], "2");
  EXPECT_EQ(get("/received?since=3").size(), 0u);
}

TEST_F(Control, ForgetsWhenReset) {
  call("PUT", "/devices", kDevices);
  receive("1", "{}", true);
  call("POST", "/faults", R"({"hang":true})");
  EXPECT_EQ(call("POST", "/reset?keep=devices").status, 204);
  json stats = get("/stats");
  EXPECT_EQ(stats["requests"], 0);
  EXPECT_EQ(stats["devices"], 1);
  EXPECT_EQ(stats["faults_left"], 0);
  EXPECT_EQ(get("/received").size(), 0u);
  receive("2", "{}", true);
  EXPECT_EQ(get("/received")[0]["apns_id"], "2");
  EXPECT_EQ(call("POST", "/reset").status, 204);
  EXPECT_EQ(get("/stats")["devices"], 0);
}

}  // namespace
}  // namespace notify::simulator
