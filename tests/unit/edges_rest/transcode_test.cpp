#include "edges/rest/transcode.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/edges_rest/fake_methods.hpp"

namespace notify::edges::rest {
namespace {

namespace pb = notification;
using base::Errc;

const base::UserId kSelf = *base::UserId::parse("018f3c2a-0000-4000-8000-0000000000aa");
constexpr const char* kStranger = "018f3c2a-0000-4000-8000-0000000000bb";

struct TranscodeTest : testing::Test {
  FakeMethods methods;
  RouteTable routes = RouteTable::create(methods.table.methods()).value();

  flows::Answer<std::unique_ptr<Message>> request(const std::string& verb,
                                                  const std::string& target,
                                                  const std::string& body = {},
                                                  const std::string& if_match = {}) const {
    auto parsed = parse_target("/api/v1/notifications" + target);
    const auto match = routes.find(parsed->segments);
    RequestParts parts{match->variables, parsed->query, body, std::nullopt, kSelf};
    if (!if_match.empty()) parts.if_match = if_match;
    return to_request(*match->resource->route(verb), parts);
  }
  template <class Request>
  Request made(const std::string& verb, const std::string& target, const std::string& body = {},
               const std::string& if_match = {}) const {
    const auto answer = request(verb, target, body, if_match);
    if (answer) return static_cast<const Request&>(**answer);
    ADD_FAILURE() << (answer.error().violations.empty()
                          ? answer.error().error.detail
                          : answer.error().violations[0].field + " " +
                                answer.error().violations[0].description);
    return {};
  }
  /// "field: what is wrong" of the first violation, or the error's code.
  std::string refusal(const std::string& verb, const std::string& target,
                      const std::string& body = {}, const std::string& if_match = {}) const {
    const auto answer = request(verb, target, body, if_match);
    if (answer) return "";
    const auto& violations = answer.error().violations;
    if (violations.empty()) return std::string(base::name(answer.error().error.code));
    EXPECT_EQ(answer.error().error.code, Errc::invalid);
    return violations[0].field + ": " + violations[0].description;
  }
  std::vector<std::string> mask(const std::string& body, const std::string& query = {}) const {
    const auto update = made<pb::UpdateUserSettingsRequest>("PATCH", "/settings" + query, body);
    return {update.update_mask().paths().begin(), update.update_mask().paths().end()};
  }
};

using Paths = std::vector<std::string>;

TEST_F(TranscodeTest, TheUserIsThatOfTheToken) {
  EXPECT_EQ(made<pb::GetUserSettingsRequest>("GET", "/settings").user_id(), kSelf.to_string());
  EXPECT_EQ(made<pb::GetUserSettingsRequest>(
                "GET", "/settings?user_id=018F3C2A-0000-4000-8000-0000000000AA")
                .user_id(),
            kSelf.to_string());
  EXPECT_EQ(refusal("GET", std::string("/settings?user_id=") + kStranger), "permission_denied");
  EXPECT_EQ(refusal("GET", "/settings?userId=x"), "permission_denied");
  EXPECT_EQ(refusal("PATCH", "/settings", std::string(R"({"user_id":")") + kStranger + "\"}"),
            "permission_denied");
  EXPECT_EQ(
      refusal("POST", "/conversations/c/mute", std::string(R"({"userId":")") + kStranger + "\"}"),
      "permission_denied");
}

TEST_F(TranscodeTest, PathAndQueryBecomeFields) {
  const auto list = made<pb::ListNotificationsRequest>("GET", "?page_size=7&page_token=a%2Bb");
  EXPECT_EQ(list.page_size(), 7);
  EXPECT_EQ(list.page_token(), "a+b");
  EXPECT_EQ(made<pb::ListNotificationsRequest>("GET", "?pageSize=7").page_size(), 7);
  EXPECT_EQ(made<pb::GetNotificationRequest>("GET", "/abc").notification_id(), "abc");
}

TEST_F(TranscodeTest, AWrongParameterIsNamed) {
  EXPECT_EQ(refusal("GET", "?page_size=x"), "page_size: has a value that its type does not allow");
  EXPECT_EQ(refusal("GET", "?page_size=99999999999"),
            "page_size: has a value that its type does not allow");
  EXPECT_EQ(refusal("GET", "?page_size=1&page_size=2"), "page_size: is given more than once");
  EXPECT_EQ(refusal("GET", "?nothing=1"), "nothing: there is no such parameter");
  EXPECT_EQ(refusal("GET", "?page_size.x=1"), "page_size.x: there is no such parameter");
  EXPECT_EQ(refusal("GET", "/abc?notification_id=b"),
            "notification_id: is not a parameter of the query here");
  EXPECT_EQ(refusal("PATCH", "/settings?settings.revision=1", "{}"),
            "settings.revision: is not a parameter of the query here");
  EXPECT_EQ(refusal("POST", "/conversations/c/mute?muted_until=x", "{}"),
            "muted_until: there is no such parameter");
}

TEST_F(TranscodeTest, ABodyIsOneFieldOrAllThatThePathLeaves) {
  const auto update = made<pb::UpdateUserSettingsRequest>(
      "PATCH", "/settings",
      R"({"sound_enabled":false,"quietHours":{"enabled":true,"days":[1,7]},
          "types":{"call":true},"other":{"a":{"b":[1,null]}},"preview":"PREVIEW_LEVEL_NONE"})");
  EXPECT_TRUE(update.settings().has_sound_enabled());
  EXPECT_FALSE(update.settings().sound_enabled());
  EXPECT_EQ(update.settings().quiet_hours().days_size(), 2);
  EXPECT_TRUE(update.settings().types().at("call"));
  EXPECT_EQ(update.settings().preview(), pb::PREVIEW_LEVEL_NONE);
  EXPECT_EQ(update.settings().other().fields().size(), 1U);

  const auto mute = made<pb::MuteConversationRequest>(
      "POST", "/conversations/c1/mute",
      R"({"muted_until":"2030-01-02T03:04:05.5Z","conversationId":"c2"})");
  EXPECT_EQ(mute.conversation_id(), "c1") << "what the path says counts";
  EXPECT_EQ(mute.user_id(), kSelf.to_string());
  EXPECT_EQ(mute.muted_until().seconds(), 1893553445);
  EXPECT_EQ(mute.muted_until().nanos(), 500'000'000);
  EXPECT_FALSE(
      made<pb::MuteConversationRequest>("POST", "/conversations/c1/mute").has_muted_until());
}

TEST_F(TranscodeTest, AWrongFieldOfTheBodyIsNamed) {
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"sound":true})"),
            "settings.sound: there is no such field");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"quiet_hours":{"begin":"1"}})"),
            "settings.quiet_hours.begin: there is no such field");
  EXPECT_EQ(refusal("POST", "/conversations/c/mute", R"({"until":1})"),
            "until: there is no such field");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"sound_enabled":"loud"})"),
            "settings.sound_enabled: must be true or false");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"preview":"LOUD"})"),
            "settings.preview: has a value that its type does not allow");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"updated_at":"yesterday"})"),
            "settings.updated_at: has a value that its type does not allow");
}

TEST_F(TranscodeTest, ABodyThatIsNoObjectIsRefused) {
  EXPECT_EQ(refusal("PATCH", "/settings", "[]"), "body: must be a JSON object");
  EXPECT_EQ(refusal("PATCH", "/settings", "{"), "body: is not valid JSON");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"a":1,"a":1})"),
            "body: has a name twice in one object");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"other":)" + std::string(9000, '[')),
            "body: is nested too deep");
}

TEST_F(TranscodeTest, AMaskNamesWhatTheBodyHas) {
  EXPECT_EQ(mask(R"({"sound_enabled":false,"quietHours":{"end":"07:00"}})"),
            (Paths{"quiet_hours.end", "sound_enabled"}));
  EXPECT_EQ(mask(R"({"types":{"call":false},"other":{"a":1},"preview":null,"quiet_hours":{}})"),
            (Paths{"other", "preview", "quiet_hours", "types.call"}));
  EXPECT_EQ(mask(R"({"types":{}})"), Paths{"types"});
  EXPECT_EQ(mask("{}"), Paths{});
}

TEST_F(TranscodeTest, WhatABodyCannotChangeIsNotInTheMask) {
  EXPECT_EQ(mask(R"({"user_id":"018f3c2a-0000-4000-8000-0000000000aa","revision":3,
                     "updated_at":"2030-01-02T03:04:05Z","sound_enabled":true})"),
            Paths{"sound_enabled"});
  const auto update = made<pb::UpdateConversationSettingsRequest>(
      "PATCH", "/conversations/c1/settings", R"({"conversation_id":"c1","sound_enabled":true})");
  ASSERT_EQ(update.update_mask().paths_size(), 1);
  EXPECT_EQ(update.update_mask().paths(0), "sound_enabled");
}

TEST_F(TranscodeTest, AMaskThatIsGivenCounts) {
  EXPECT_EQ(mask(R"({"sound_enabled":true})", "?update_mask=preview,quiet_hours.end"),
            (Paths{"preview", "quiet_hours.end"}));
  EXPECT_EQ(mask(R"({"sound_enabled":true})", "?updateMask=quietHours"), Paths{"quiet_hours"});
}

TEST_F(TranscodeTest, IfMatchIsTheRevisionThatWasRead) {
  const auto revision = [this](const std::string& if_match) {
    return made<pb::UpdateUserSettingsRequest>("PATCH", "/settings", R"({"revision":9})", if_match)
        .settings()
        .revision();
  };
  EXPECT_EQ(revision("\"7\""), 7);
  EXPECT_EQ(revision(""), 9);
  EXPECT_EQ(revision("*"), 9);
  for (const char* bad :
       {"7", "\"\"", "\"x\"", "W/\"7\"", "\"7\", \"8\"", "\"0\"", "\"-1\"", "\"99999999999\""}) {
    EXPECT_EQ(refusal("PATCH", "/settings", "{}", bad),
              "If-Match: must be the ETag of an earlier answer")
        << bad;
  }
  EXPECT_EQ(
      made<pb::SetQuietHoursRequest>("PUT", "/settings/quiet-hours", "{}", "\"7\"").revision(), 7);
}

/// A field of a body, however deep, and the body that has a value there and nothing else.
struct Place {
  std::string path;
  const google::protobuf::FieldDescriptor* field;
  std::vector<std::string> above;

  /// `name` is in the same object as the field.
  [[nodiscard]] std::string body(const std::string& name, nlohmann::json value) const {
    nlohmann::json json = {{name, std::move(value)}};
    for (auto one = above.rbegin(); one != above.rend(); ++one) json = {{*one, std::move(json)}};
    return json.dump();
  }
  [[nodiscard]] std::string body(nlohmann::json value) const {
    return body(field->name(), std::move(value));
  }
  [[nodiscard]] bool is_read_only() const {
    return field->name() == "user_id" || field->name() == "conversation_id" ||
           field->name() == "revision" || field->name() == "updated_at";
  }
  /// As many values as the message has there.
  [[nodiscard]] int count(const Message& message) const {
    const auto* reflection = message.GetReflection();
    const auto* type = message.GetDescriptor();
    const Message* holder = &message;
    for (const std::string& name : above) {
      const auto* next = type->FindFieldByName(name);
      holder = &reflection->GetMessage(*holder, next);
      reflection = holder->GetReflection();
      type = next->message_type();
    }
    if (field->is_repeated()) return reflection->FieldSize(*holder, field);
    return reflection->HasField(*holder, field) ? 1 : 0;
  }
};

void add_places(const google::protobuf::Descriptor& type, const std::string& prefix,
                const std::vector<std::string>& above, std::vector<Place>& places) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto* field = type.field(i);
    places.push_back({prefix + field->name(), field, above});
    const auto* inner = field->message_type();
    const bool is_ours = inner != nullptr && !field->is_repeated() &&
                         !inner->full_name().starts_with("google.protobuf.");
    if (!is_ours) continue;
    std::vector<std::string> further = above;
    further.push_back(field->name());
    add_places(*inner, prefix + field->name() + ".", further, places);
  }
}

/// docs/adr/0019-null-and-absent.md, for each field of each body that there is.
struct EveryFieldTest : TranscodeTest {
  struct Body {
    const Route* route;
    Variables variables;  ///< what its path says
    Place place;

    /// By the token or the path, whatever the body says.
    [[nodiscard]] bool is_given() const {
      return route->body == BodyIs::whole &&
             (place.path == "user_id" || variables.contains(place.path));
    }
  };
  std::vector<Body> bodies;

  EveryFieldTest() {
    for (const Resource& resource : routes.resources()) {
      for (const Route& route : resource.routes) {
        if (route.body == BodyIs::none) continue;
        const auto* type =
            route.body == BodyIs::field ? route.body_field->message_type() : &route.request();
        std::vector<Place> places;
        add_places(*type, "", {}, places);
        Variables variables;
        for (const Segment& segment : resource.path) {
          if (segment.is_field) variables[segment.text] = "some-id";
        }
        for (Place& place : places) bodies.push_back({&route, variables, std::move(place)});
      }
    }
    EXPECT_GT(bodies.size(), 40U);
  }
  flows::Answer<std::unique_ptr<Message>> ask(const Body& at, const std::string& body) const {
    RequestParts parts{at.variables, {}, body, std::nullopt, kSelf};
    return to_request(*at.route, parts);
  }
  std::string refusal_of(const Body& at, const std::string& body) const {
    const auto answer = ask(at, body);
    if (answer) return "accepted";
    return answer.error().violations.at(0).field + ": " +
           answer.error().violations.at(0).description;
  }
  static std::string path_of(const Body& at) {
    const bool is_inside = at.route->body == BodyIs::field;
    return (is_inside ? at.route->body_field->name() + "." : "") + at.place.path;
  }
  static const Message& body_of(const Body& at, const Message& request) {
    return at.route->body == BodyIs::field
               ? request.GetReflection()->GetMessage(request, at.route->body_field)
               : request;
  }
  static Paths mask_in(const Body& at, const Message& request) {
    if (at.route->mask_field == nullptr) return {};
    const auto& mask = static_cast<const google::protobuf::FieldMask&>(
        request.GetReflection()->GetMessage(request, at.route->mask_field));
    return {mask.paths().begin(), mask.paths().end()};
  }
  /// The value is not there, and a PATCH is told to take it away.
  void expect_unset(const Body& at, const std::string& body, const std::string& path) {
    const auto answer = ask(at, body);
    ASSERT_TRUE(answer) << body << " " << refusal_of(at, body);
    EXPECT_EQ(at.place.count(body_of(at, **answer)), at.is_given() ? 1 : 0) << body;
    const bool is_told = at.route->mask_field != nullptr && !at.place.is_read_only();
    EXPECT_EQ(mask_in(at, **answer), is_told ? Paths{path} : Paths{}) << body;
  }
};

TEST_F(EveryFieldTest, NullIsNoValueAndAPatchTakesTheFieldBackToItsDefault) {
  for (const Body& at : bodies) expect_unset(at, at.place.body(nullptr), at.place.path);
}

TEST_F(EveryFieldTest, NullInAMapIsNoEntryAndAPatchTakesTheEntryAway) {
  int maps = 0;
  for (const Body& at : bodies) {
    if (!at.place.field->is_map()) continue;
    ++maps;
    expect_unset(at, at.place.body({{"some_key", nullptr}}), at.place.path + ".some_key");
  }
  EXPECT_GT(maps, 0);
}

TEST_F(EveryFieldTest, NullInAListIsRefused) {
  int lists = 0;
  for (const Body& at : bodies) {
    if (!at.place.field->is_repeated() || at.place.field->is_map()) continue;
    ++lists;
    EXPECT_EQ(refusal_of(at, at.place.body(nlohmann::json::array({nullptr}))),
              path_of(at) + "[0]: must not be null");
  }
  EXPECT_GT(lists, 0);
}

TEST_F(EveryFieldTest, WhatIsAbsentIsNotInTheMask) {
  for (const Body& at : bodies) {
    const auto answer = ask(at, "{}");
    ASSERT_TRUE(answer);
    EXPECT_EQ(mask_in(at, **answer), Paths{});
  }
}

TEST_F(EveryFieldTest, AFieldThatThereIsNotIsRefusedWhateverItsValue) {
  for (const Body& at : bodies) {
    const std::string path = path_of(at);
    const std::string above = path.substr(0, path.size() - at.place.field->name().size());
    for (const nlohmann::json& value : {nlohmann::json(nullptr), nlohmann::json(1)}) {
      EXPECT_EQ(refusal_of(at, at.place.body("nothing", value)),
                above + "nothing: there is no such field");
    }
  }
}

TEST_F(EveryFieldTest, AnEmptyTextListOrMapIsAValue) {
  for (const Body& at : bodies) {
    const bool is_text = at.place.field->type() == google::protobuf::FieldDescriptor::TYPE_STRING;
    if (at.place.field->name() == "user_id") continue;  // a text that is no user is forbidden
    if (!is_text && !at.place.field->is_repeated()) continue;
    nlohmann::json empty = "";
    if (at.place.field->is_repeated()) empty = nlohmann::json::array();
    if (at.place.field->is_map()) empty = nlohmann::json::object();
    const auto answer = ask(at, at.place.body(empty));
    ASSERT_TRUE(answer) << at.place.body(empty);
    const bool is_told = at.route->mask_field != nullptr && !at.place.is_read_only();
    EXPECT_EQ(mask_in(at, **answer), is_told ? Paths{at.place.path} : Paths{});
  }
}

TEST_F(EveryFieldTest, OtherEmptyTextsAreRefused) {
  for (const Body& at : bodies) {
    const auto type = at.place.field->type();
    if (type == google::protobuf::FieldDescriptor::TYPE_STRING) continue;
    EXPECT_NE(refusal_of(at, at.place.body("")), "accepted") << at.place.body("");
  }
}

TEST_F(EveryFieldTest, AFlagIsTrueOrFalseAndNothingLikeIt) {
  using google::protobuf::FieldDescriptor;
  int flags = 0;
  for (const Body& at : bodies) {
    const FieldDescriptor* field = at.place.field;
    const FieldDescriptor* value = field->is_map() ? field->message_type()->map_value() : field;
    if (value->cpp_type() != FieldDescriptor::CPPTYPE_BOOL) continue;
    ++flags;
    for (const nlohmann::json& odd :
         {nlohmann::json("no"), nlohmann::json("1"), nlohmann::json(0), nlohmann::json::object()}) {
      const bool is_map = field->is_map();
      const std::string body = at.place.body(is_map ? nlohmann::json{{"call", odd}} : odd);
      EXPECT_EQ(refusal_of(at, body),
                path_of(at) + (is_map ? ".call" : "") + ": must be true or false");
    }
  }
  EXPECT_GT(flags, 3);
}

TEST_F(EveryFieldTest, NobodyKnowsWhichIsMeantOfAFieldThatIsGivenByBothNames) {
  for (const Body& at : bodies) {
    const auto* field = at.place.field;
    const bool path_tells = at.is_given() && at.place.path != "user_id";
    if (field->json_name() == field->name() || path_tells) continue;
    nlohmann::json twice = {{field->name(), nullptr}, {field->json_name(), nullptr}};
    for (auto one = at.place.above.rbegin(); one != at.place.above.rend(); ++one) {
      twice = {{*one, std::move(twice)}};
    }
    EXPECT_EQ(refusal_of(at, twice.dump()), path_of(at) + ": is given twice, by both of its names");
  }
}

TEST_F(TranscodeTest, NullInWhatAppsKeepIsAValue) {
  const auto update = made<pb::UpdateUserSettingsRequest>("PATCH", "/settings",
                                                          R"({"other":{"a":null,"b":[null]}})");
  EXPECT_EQ(update.settings().other().fields().size(), 2U);
}

TEST_F(TranscodeTest, ABodyThatIsMissingIsNotAnEmptyOne) {
  EXPECT_EQ(refusal("PUT", "/settings/quiet-hours"), "body: is required: a JSON object");
  EXPECT_EQ(refusal("PATCH", "/settings"), "body: is required: a JSON object");
  EXPECT_EQ(refusal("PUT", "/settings/quiet-hours", "null"), "body: must be a JSON object");
  EXPECT_EQ(refusal("POST", "/conversations/c1/mute"), "");
}

TEST_F(TranscodeTest, AnEmptyParameterIsAnEmptyText) {
  EXPECT_EQ(made<pb::ListNotificationsRequest>("GET", "?page_token=").page_token(), "");
  EXPECT_EQ(refusal("GET", "?page_size="), "page_size: has a value that its type does not allow");
}

TEST_F(TranscodeTest, AResponseHasItsDefaultsAndTheNamesOfTheProtos) {
  pb::UserSettings settings;
  settings.set_user_id(kSelf.to_string());
  settings.set_sound_enabled(false);
  settings.mutable_updated_at()->set_seconds(1893553445);
  (*settings.mutable_types())["call"] = true;
  EXPECT_EQ(nlohmann::json::parse(to_json(settings).value()),
            nlohmann::json::parse(
                R"({"user_id":"018f3c2a-0000-4000-8000-0000000000aa","sound_enabled":false,)"
                R"("preview":"PREVIEW_LEVEL_UNSPECIFIED","types":{"call":true},"revision":0,)"
                R"("updated_at":"2030-01-02T03:04:05Z"})"));
  settings.mutable_updated_at()->set_seconds(999'999'999'999);
  EXPECT_EQ(to_json(settings), std::nullopt);
}

TEST_F(TranscodeTest, ARevisionIsAnEtag) {
  pb::UserSettings settings;
  EXPECT_EQ(etag_of(settings), std::nullopt);
  settings.set_revision(7);
  EXPECT_EQ(etag_of(settings), "\"7\"");
  EXPECT_EQ(etag_of(pb::Notification()), std::nullopt);
}

TEST_F(TranscodeTest, AnotherUserIsFoundHoweverDeep) {
  pb::ListNotificationsResponse list;
  EXPECT_TRUE(is_only_about(list, kSelf));
  list.add_notifications()->set_user_id(kSelf.to_string());
  EXPECT_TRUE(is_only_about(list, kSelf));
  list.add_notifications()->set_user_id(kStranger);
  EXPECT_FALSE(is_only_about(list, kSelf));
  pb::GetNotificationResponse one;
  one.mutable_notification()->set_user_id("nobody");
  EXPECT_FALSE(is_only_about(one, kSelf));
}

}  // namespace
}  // namespace notify::edges::rest
