// The REST edge without sockets: from the head of a request to its answer.

#include "edges/rest/rest_api.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "clients/key_source.hpp"
#include "fakes/fake_limiter.hpp"
#include "fakes/fake_time.hpp"
#include "unit/crypto/test_keys.hpp"
#include "unit/edges_rest/fake_methods.hpp"

namespace notify::edges::rest {
namespace {

namespace pb = notification;
using namespace crypto_test;
using Json = nlohmann::json;

constexpr const char* kUser = "018f3c2a-0000-4000-8000-0000000000aa";
constexpr const char* kOther = "018f3c2a-0000-4000-8000-0000000000bb";

class OneDocument final : public clients::KeySource {
 public:
  explicit OneDocument(std::string json) : json_(std::move(json)) {}
  async::Task<base::Expected<Document>> fetch(base::Deadline) override {
    if (is_down) co_return base::fail(base::Errc::unavailable, "down");
    co_return Document{json_, std::nullopt};
  }
  bool is_down = false;

 private:
  std::string json_;
};

using flows::RequestLimit;
using rules::LimitWindow;

struct RestApiTest : testing::Test {
  fakes::ManualClock clock;
  fakes::FakeTime time{clock};
  fakes::FakeLoop loop{clock};
  const Key key = make_ec_key("P-256");
  OneDocument source{R"({"keys":[)" + to_jwk(key, "k") + "]}"};
  clients::Jwks jwks{source, loop.timers, {}, {}};
  FakeMethods methods;
  std::vector<std::string> withheld;
  RestApi api{RouteTable::create(methods.table.methods()).value(),
              Authenticator(&jwks, {"issuer", "audience"}, clock),
              {.cors_origins = {"https://app.example"},
               .openapi = "{}",
               .on_withheld = [this](std::string_view name) { withheld.emplace_back(name); }}};
  async::TaskGroup group{loop.timers.executor(), {}};
  std::string authorization = "Bearer " + token(kUser);

  RestApiTest() { time.add(loop); }
  ~RestApiTest() override {
    group.spawn(jwks.stop());
    time.run_until([this] { return group.size() == 0; });
    time.remove(loop);
  }

  std::string token(const std::string& user) {
    const auto signer = Es256Key_of(key);
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch());
    return signer
        .sign_jwt(R"({"alg":"ES256","kid":"k"})", R"({"iss":"issuer","aud":"audience","exp":)" +
                                                      std::to_string(now.count() + 60) +
                                                      R"(,"sub":")" + user + "\"}")
        .value();
  }
  static crypto::Es256Key Es256Key_of(const Key& key) {
    return std::move(crypto::Es256Key::from_pem(to_pem(key)).value());
  }

  static async::Task<void> make(RestApi& api, Head head, std::string body, base::Deadline deadline,
                                std::optional<Reply>& reply) {
    auto admission = co_await api.admit(head, deadline);
    if (auto* early = std::get_if<Reply>(&admission)) {
      reply = std::move(*early);
      co_return;
    }
    auto& admitted = std::get<Admitted>(admission);
    admitted.parts.body = std::move(body);
    reply = co_await api.call(admitted, deadline);
  }
  Reply ask(Head head, std::string body = {}) { return ask_at(api, head, std::move(body)); }
  Reply ask_at(RestApi& where, Head head, std::string body = {}) {
    std::optional<Reply> reply;
    head.has_body = !body.empty();
    group.spawn(
        make(where, head, std::move(body), loop.timers.after(std::chrono::seconds(10)), reply));
    time.run_until([&] { return reply.has_value(); });
    return std::move(*reply);
  }
  Reply ask(std::string_view method, std::string_view target, std::string body = {}) {
    Head head{.method = method, .target = target, .authorization = authorization};
    head.content_type = "application/json; charset=utf-8";
    return ask(head, std::move(body));
  }
  static std::string header(const Reply& reply, std::string_view name) {
    for (const auto& [key, value] : reply.headers) {
      if (key == name) return value;
    }
    return "";
  }
  static Json error(const Reply& reply) { return Json::parse(reply.body)["error"]; }
};

/// With limits, and two proxies in front.
struct RestLimitsTest : RestApiTest {
  fakes::FakeLimits counters{clock};
  fakes::FakeLink link{loop.timers};
  fakes::FakeLimiter limiter{counters, link};
  std::vector<std::string> reached;
  std::vector<std::string> failed;
  flows::RequestLimiting limits{
      {limiter,
       loop.timers,
       {{RequestLimit::Of::user, LimitWindow::minute, 3},
        {RequestLimit::Of::ip, LimitWindow::hour, 5}},
       [this](std::string_view limit) { reached.emplace_back(limit); },
       [this](std::string_view step, const base::Error&) { failed.emplace_back(step); }}};
  RestApi limited{
      RouteTable::create(methods.table.methods()).value(),
      Authenticator(&jwks, {"issuer", "audience"}, clock),
      {.cors_origins = {}, .openapi = "{}", .on_withheld = {}, .limits = &limits, .proxies = 2}};

  Reply get(const std::string& bearer, const char* forwarded_for = "9.9.9.9, 7.7.7.7, 10.0.0.1") {
    Head head{.method = "GET", .target = "/api/v1/notifications/settings"};
    head.authorization = bearer;
    head.forwarded_for = forwarded_for;
    head.peer = "10.0.0.2";
    return ask_at(limited, head);
  }
};

constexpr const char* kSettings = "/api/v1/notifications/settings";

TEST_F(RestApiTest, AMethodIsCalledForTheUserOfTheToken) {
  methods.answer = [](const Message&) -> MessageAnswer {
    auto settings = std::make_unique<pb::UserSettings>();
    settings->set_user_id(kUser);
    settings->set_revision(4);
    return std::unique_ptr<Message>(std::move(settings));
  };
  const Reply reply = ask("GET", kSettings);
  EXPECT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["revision"], 4);
  EXPECT_EQ(header(reply, "ETag"), "\"4\"");
  EXPECT_EQ(methods.method, "GetUserSettings");
  EXPECT_EQ(methods.call->user->to_string(), kUser);
  EXPECT_EQ(methods.call->caller.lane, std::string("user:") + kUser);
  EXPECT_EQ(static_cast<const pb::GetUserSettingsRequest&>(*methods.request).user_id(), kUser);
}

TEST_F(RestApiTest, WithoutAGoodTokenNothingIsCalled) {
  authorization = "";
  Reply reply = ask("GET", kSettings);
  EXPECT_EQ(reply.status, 401U);
  EXPECT_EQ(header(reply, "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(error(reply)["status"], "UNAUTHENTICATED");
  for (const std::string& bad :
       {std::string("Basic YTpi"), std::string("Bearer"), std::string("Bearer "),
        std::string("Bearer a.b.c"), "Token " + token(kUser), "Bearer " + token("nobody")}) {
    authorization = bad;
    reply = ask("GET", kSettings);
    EXPECT_EQ(reply.status, 401U) << bad;
    EXPECT_TRUE(header(reply, "WWW-Authenticate").starts_with("Bearer")) << bad;
  }
  EXPECT_NE(header(reply, "WWW-Authenticate").find("error=\"invalid_token\""), std::string::npos);
  EXPECT_EQ(methods.method, "");
  authorization = "bEARER  " + token(kUser);
  EXPECT_EQ(ask("GET", kSettings).status, 200U);
}

TEST_F(RestApiTest, WithoutKeysNobodyIsLetIn) {
  RestApi none(RouteTable::create(methods.table.methods()).value(),
               Authenticator(nullptr, {}, clock), {});
  std::optional<Reply> reply;
  const Head head{.method = "GET", .target = kSettings, .authorization = authorization};
  group.spawn(make(none, head, "", loop.timers.after(std::chrono::seconds(1)), reply));
  time.run_until([&] { return reply.has_value(); });
  EXPECT_EQ(reply->status, 401U);
  source.is_down = true;
  EXPECT_EQ(ask("GET", kSettings).status, 503U) << "the token may be good";
}

TEST_F(RestApiTest, ErrorsOfMethodsKeepTheirDetails) {
  const std::pair<base::Errc, unsigned> expected[] = {
      {base::Errc::not_found, 404},      {base::Errc::conflict, 409},
      {base::Errc::already_exists, 409}, {base::Errc::permission_denied, 403},
      {base::Errc::overloaded, 429},     {base::Errc::unavailable, 503},
      {base::Errc::timed_out, 504},      {base::Errc::internal, 500},
      {base::Errc::corrupt, 500}};
  for (const auto& [code, status] : expected) {
    methods.answer = [code = code](const Message&) -> MessageAnswer {
      return flows::refuse({code, "an inner detail"});
    };
    const Reply reply = ask("GET", kSettings);
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(error(reply)["code"], status);
    EXPECT_EQ(error(reply)["details"][0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
    EXPECT_EQ(reply.body.find("inner detail"), std::string::npos);
    EXPECT_EQ(header(reply, "Retry-After"), status == 429 || status == 503 ? "1" : "");
  }
  methods.answer = [](const Message&) -> MessageAnswer {
    return flows::refuse(rules::Violations{{"settings.sound", "is too loud"}});
  };
  const Json json = error(ask("PATCH", kSettings, "{}"));
  EXPECT_EQ(json["status"], "INVALID_ARGUMENT");
  EXPECT_EQ(json["message"], "settings.sound is too loud");
  EXPECT_EQ(json["details"][1]["field_violations"][0]["field"], "settings.sound");
}

TEST_F(RestApiTest, AnAnswerAboutAnotherUserIsWithheld) {
  methods.answer = [](const Message&) -> MessageAnswer {
    auto response = std::make_unique<pb::GetNotificationResponse>();
    response->mutable_notification()->set_user_id(kOther);
    return std::unique_ptr<Message>(std::move(response));
  };
  const Reply reply = ask("GET", "/api/v1/notifications/some-id");
  EXPECT_EQ(reply.status, 404U);
  EXPECT_EQ(reply.body.find(kOther), std::string::npos);
  EXPECT_EQ(withheld, std::vector<std::string>{"notification.NotificationService.GetNotification"});
}

TEST_F(RestApiTest, ARequestThatNamesAnotherUserIsForbidden) {
  const Reply reply = ask("GET", std::string(kSettings) + "?user_id=" + kOther);
  EXPECT_EQ(reply.status, 403U);
  EXPECT_EQ(error(reply)["status"], "PERMISSION_DENIED");
  EXPECT_EQ(methods.method, "");
}

TEST_F(RestApiTest, PathsAndVerbsThatThereAreNotAreRefusedBeforeTheToken) {
  authorization = "";
  EXPECT_EQ(ask("GET", "/api/v1/nothing").status, 404U);
  EXPECT_EQ(ask("GET", "/api/v1/%").status, 400U);
  const Reply reply = ask("DELETE", kSettings);
  EXPECT_EQ(reply.status, 405U);
  EXPECT_EQ(header(reply, "Allow"), "GET, HEAD, OPTIONS, PATCH");
  EXPECT_EQ(error(reply)["details"][0]["reason"], "METHOD_NOT_ALLOWED");
}

TEST_F(RestApiTest, ABodyIsJsonAndOnlyWhereThereIsOne) {
  EXPECT_EQ(ask("GET", kSettings, "{}").status, 400U);
  Head head{.method = "PATCH", .target = kSettings, .authorization = authorization};
  for (const char* type : {"", "text/plain", "application/jsonp", "application/json-patch+json"}) {
    head.content_type = type;
    EXPECT_EQ(ask(head, "{}").status, 415U) << type;
  }
  head.content_type = "Application/JSON ; charset=utf-8";
  EXPECT_EQ(ask(head, "{}").status, 200U);
  head.content_encoding = "gzip";
  EXPECT_EQ(ask(head, "{}").status, 415U);
}

TEST_F(RestApiTest, IfMatchReachesTheMethod) {
  Head head{.method = "PATCH", .target = kSettings, .authorization = authorization};
  head.content_type = "application/json";
  head.if_match = "\"12\"";
  EXPECT_EQ(ask(head, "{}").status, 200U);
  const auto& request = static_cast<const pb::UpdateUserSettingsRequest&>(*methods.request);
  EXPECT_EQ(request.settings().revision(), 12);
  head.method = "GET";
  head.content_type = "";
  EXPECT_EQ(ask(head).status, 200U) << "nothing is changed, so nothing can clash";
}

TEST_F(RestApiTest, OtherOriginsGetCorsOnlyIfTheyAreConfigured) {
  Reply reply;
  api.add_cors("https://app.example", reply);
  EXPECT_EQ(header(reply, "Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(header(reply, "Vary"), "Origin");
  for (const char* origin :
       {"", "null", "https://app.example.evil", "http://app.example", "https://APP.example", "*"}) {
    Reply other;
    api.add_cors(origin, other);
    EXPECT_EQ(header(other, "Access-Control-Allow-Origin"), "") << origin;
  }
  Head head{.method = "OPTIONS", .target = kSettings, .origin = "https://app.example"};
  EXPECT_EQ(header(ask(head), "Access-Control-Allow-Methods"), "") << "no preflight";
  head.requested_method = "PATCH";
  reply = ask(head);
  EXPECT_EQ(reply.status, 204U);
  EXPECT_EQ(header(reply, "Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS, PATCH");
  EXPECT_EQ(header(reply, "Access-Control-Allow-Headers"), "Authorization, Content-Type, If-Match");
  head.origin = "https://evil.example";
  EXPECT_EQ(header(ask(head), "Access-Control-Allow-Methods"), "");
}

TEST_F(RestApiTest, TheDescriptionNeedsNoToken) {
  authorization = "";
  EXPECT_EQ(ask("GET", "/openapi.json?x=1").body, "{}");
  EXPECT_EQ(ask("HEAD", "/openapi.json").status, 200U);
  EXPECT_EQ(ask("POST", "/openapi.json").status, 405U);
}

TEST_F(RestLimitsTest, EveryAnswerSaysHowMuchIsLeftOfTheLimitThatIsTightest) {
  Reply reply = get(authorization);
  EXPECT_EQ(header(reply, "RateLimit-Limit"), "3");
  EXPECT_EQ(header(reply, "RateLimit-Remaining"), "2");
  EXPECT_EQ(header(reply, "RateLimit-Reset"), "60");
  time.run_for(std::chrono::seconds(20));
  reply = get(authorization);
  EXPECT_EQ(header(reply, "RateLimit-Remaining"), "1");
  EXPECT_EQ(header(reply, "RateLimit-Reset"), "40");
}

TEST_F(RestLimitsTest, OverTheLimitTheAnswerIs429AndWhenToComeBack) {
  for (int i = 0; i < 3; ++i) EXPECT_NE(get(authorization).status, 429U);
  methods.call.reset();
  const Reply reply = get(authorization);
  EXPECT_EQ(reply.status, 429U);
  EXPECT_FALSE(methods.call) << "nothing is done";
  EXPECT_EQ(header(reply, "RateLimit-Limit"), "3");
  EXPECT_EQ(header(reply, "RateLimit-Remaining"), "0");
  EXPECT_EQ(header(reply, "Retry-After"), "60");
  EXPECT_EQ(error(reply)["status"], "RESOURCE_EXHAUSTED");
  EXPECT_EQ(error(reply)["details"][0]["violations"][0]["subject"], std::string("user:") + kUser);
  EXPECT_EQ(error(reply)["details"][1]["metadata"]["limit"], "rest_user.1m");
  EXPECT_EQ(reached, (std::vector<std::string>{"rest_user.1m"}));
  EXPECT_NE(get("Bearer " + token(kOther)).status, 429U) << "another user's";
}

TEST_F(RestLimitsTest, WhoIsNotLetInIsCountedByAddress) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("Bearer nonsense").status, 401U);
  const Reply reply = get("Bearer nonsense");
  EXPECT_EQ(reply.status, 429U);
  EXPECT_EQ(error(reply)["details"][0]["violations"][0]["subject"], "ip:7.7.7.7");
  EXPECT_NE(get(authorization, "7.7.7.7, 8.8.8.8, 10.0.0.1").status, 429U)
      << "another address, whatever it says before";
}

/// A check of a signature costs much, and anybody can ask for one.
TEST_F(RestLimitsTest, AnAddressWithTooManyWrongSignaturesHasNoFurtherOnesChecked) {
  const std::string good = "Bearer " + token(kUser);
  const auto bearer = [&](int i) {  // another one each time
    std::string forged = good;
    forged.replace(
        forged.size() - 40, 12,
        "notTheOwner" + std::string(1, static_cast<char>(i < 26 ? 'A' + i : 'a' + i - 26)));
    return forged;
  };
  const auto ask_from = [&](const char* peer, const std::string& authorization) {
    Head head{.method = "GET", .target = "/api/v1/notifications/settings"};
    head.authorization = authorization;
    head.peer = peer;
    return ask_at(api, head);
  };
  for (int i = 0; i < Forgeries::kMax; ++i) {
    EXPECT_EQ(ask_from("2001:db8::1", bearer(i)).status, 401U) << i;
  }
  const Reply over = ask_from("2001:db8::2", good);
  EXPECT_EQ(over.status, 429U) << "not even a good one, nor from the same network";
  EXPECT_GT(std::stoi(header(over, "Retry-After")), 50);
  EXPECT_EQ(ask_from("2001:db8:0:1::1", good).status, 200U);
  EXPECT_EQ(ask_from("192.0.2.1", good).status, 200U);
  EXPECT_EQ(ask_from("2001:db8::2", "Bearer x.y.z").status, 401U) << "that costs nothing";
  time.run_for(std::chrono::minutes(1));
  EXPECT_EQ(ask_from("2001:db8::1", "Bearer " + token(kUser)).status, 200U);
}

TEST_F(RestLimitsTest, ATokenThatIsOverCostsNoCheck) {
  const std::string old = "Bearer " + token(kUser);
  time.run_for(std::chrono::minutes(5));
  authorization = old;
  for (int i = 0; i <= Forgeries::kMax; ++i) {
    EXPECT_EQ(ask("GET", "/api/v1/notifications/settings").status, 401U);
  }
  authorization = "Bearer " + token(kUser);
  EXPECT_EQ(ask("GET", "/api/v1/notifications/settings").status, 200U);
}

TEST(Forgeries, AnAttackerHasAnAddressOrANetwork) {
  EXPECT_EQ(network_of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(network_of("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("unknown"), "unknown");
}

TEST_F(RestLimitsTest, WithRedisAwayTheWorkerCountsForItself) {
  limiter.faults.take.fail(base::Errc::unavailable);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(header(get(authorization), "RateLimit-Remaining"), std::to_string(2 - i));
  }
  EXPECT_EQ(get(authorization).status, 429U);
  EXPECT_EQ(failed, (std::vector<std::string>{"take"}));
}

TEST(ClientAddress, IsWhatTheOutermostOfOurProxiesSays) {
  Head head{.forwarded_for = "1.1.1.1, 2.2.2.2 ,3.3.3.3", .peer = "10.0.0.1"};
  EXPECT_EQ(client_address(head, 0), "10.0.0.1");
  EXPECT_EQ(client_address(head, 1), "3.3.3.3");
  EXPECT_EQ(client_address(head, 2), "2.2.2.2");
  EXPECT_EQ(client_address(head, 9), "1.1.1.1");
  head.forwarded_for = "";
  EXPECT_EQ(client_address(head, 1), "10.0.0.1");
}

}  // namespace
}  // namespace notify::edges::rest
