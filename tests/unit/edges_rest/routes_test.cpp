#include "edges/rest/routes.hpp"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "edges/rest/target.hpp"
#include "google/api/annotations.pb.h"
#include "unit/edges_rest/fake_methods.hpp"

namespace notify::edges::rest {
namespace {

struct RoutesTest : testing::Test {
  FakeMethods methods;
  RouteTable routes = RouteTable::create(methods.table.methods()).value();

  /// "GET GetUserSettings", or what there is instead.
  std::string route(const std::string& verb, const std::string& path) const {
    const auto match = routes.find(parse_target(path)->segments);
    if (!match) return "no path";
    const Route* found = match->resource->route(verb);
    if (found == nullptr) return match->resource->allowed();
    std::string text = found->method->descriptor->name();
    for (const auto& [name, value] : match->variables) text += " " + name + "=" + value;
    return text;
  }
};

TEST_F(RoutesTest, EveryAnnotatedMethodHasItsRoute) {
  std::size_t annotated = 0;
  for (const auto& method : methods.table.methods()) {
    annotated += method.descriptor->options().HasExtension(google::api::http) ? 1 : 0;
  }
  std::size_t found = 0;
  for (const Resource& resource : routes.resources()) found += resource.routes.size();
  EXPECT_EQ(found, annotated);
  EXPECT_GE(annotated, 10U);
}

TEST_F(RoutesTest, APathIsLiteralsAndFields) {
  EXPECT_EQ(route("GET", "/api/v1/notifications"), "ListNotifications");
  EXPECT_EQ(route("GET", "/api/v1/notifications/some-id"),
            "GetNotification notification_id=some-id");
  EXPECT_EQ(route("PATCH", "/api/v1/notifications/conversations/c%2F1/settings"),
            "UpdateConversationSettings conversation_id=c/1");
  for (const char* path :
       {"/", "/api/v1", "/api/v1/notifications/", "/api/v1/notifications/a/b",
        "/API/v1/notifications", "/api/v1/notifications/conversations//settings"}) {
    EXPECT_EQ(route("GET", path), "no path") << path;
  }
}

TEST_F(RoutesTest, ALiteralGoesBeforeAField) {
  EXPECT_EQ(route("GET", "/api/v1/notifications/settings"), "GetUserSettings");
  EXPECT_EQ(route("GET", "/api/v1/notifications/conversations"), "ListConversationSettings");
}

TEST_F(RoutesTest, AnotherVerbIsToldWhichThereAre) {
  EXPECT_EQ(route("DELETE", "/api/v1/notifications/settings"), "GET, HEAD, OPTIONS, PATCH");
  EXPECT_EQ(route("GET", "/api/v1/notifications/settings/quiet-hours"), "OPTIONS, PUT");
  EXPECT_EQ(route("get", "/api/v1/notifications"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(route("HEAD", "/api/v1/notifications"), "ListNotifications");
}

/// Methods of a service made up from this description of its file.
class MadeUp {
 public:
  explicit MadeUp(const std::string& rule, const std::string& request = "name: 'user_id'",
                  const std::string& response = "name: 'x'") {
    google::protobuf::FileDescriptorProto file;
    const std::string text = R"(
      name: "t.proto" package: "t" syntax: "proto3"
      message_type {
        name: "In"
        field { )" + request +
                             R"( number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
        field { name: "thing" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
        field { name: "many" number: 3 type: TYPE_STRING label: LABEL_REPEATED }
        field {
          name: "out" number: 4 type: TYPE_MESSAGE type_name: ".t.Out" label: LABEL_OPTIONAL
        }
      }
      message_type {
        name: "Out"
        field { )" + response +
                             R"( number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      }
      service {
        name: "S"
        method {
          name: "M" input_type: ".t.In" output_type: ".t.Out"
          options { [google.api.http] { )" +
                             rule + R"( } }
        }
      })";
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &file));
    const auto* built = pool_.BuildFile(file);
    EXPECT_NE(built, nullptr);
    table_.add("M", *built->FindMessageTypeByName("In"), {});
  }
  /// What is wrong with it; empty: nothing.
  [[nodiscard]] std::string flaw() const {
    const auto routes = RouteTable::create(table_.methods());
    return routes ? "" : routes.error().detail;
  }

 private:
  google::protobuf::DescriptorPool pool_{google::protobuf::DescriptorPool::generated_pool()};
  MethodTable table_;
};

TEST(Routes, AnAnnotationThatCannotBeServedIsAnError) {
  EXPECT_EQ(MadeUp("get: '/a/{thing}'").flaw(), "");
  EXPECT_EQ(MadeUp("put: '/a' body: 'out'").flaw(), "");
  EXPECT_EQ(MadeUp("get: '/a' additional_bindings { get: '/b' }").flaw(), "");
  for (const char* rule :
       {"", "get: 'a'", "get: ''", "get: '/'", "get: '/a/{nothing}'", "get: '/a/{many}'",
        "get: '/a/{out}'", "get: '/a/{thing=*}'", "get: '/a/**'", "post: '/a:b' body: '*'",
        "get: '/a' body: '*'", "delete: '/a' body: 'out'", "post: '/a' body: 'thing'",
        "post: '/a' body: 'nothing'", "get: '/a' response_body: 'x'",
        "get: '/a' additional_bindings { get: '/a' }",
        "get: '/a' additional_bindings { put: '/{thing}' body: 'thing' }"}) {
    EXPECT_NE(MadeUp(rule).flaw(), "") << rule;
  }
}

TEST(Routes, AMethodThatIsBoundToNoUserIsNotServed) {
  EXPECT_EQ(MadeUp("get: '/a'", "name: 'x'", "name: 'user_id'").flaw(), "");
  EXPECT_NE(MadeUp("get: '/a'", "name: 'x'").flaw(), "");
  EXPECT_NE(MadeUp("post: '/a' body: '*'", "name: 'x'", "name: 'user_id'").flaw(), "")
      << "it would be done before anybody knows whose it is";
}

}  // namespace
}  // namespace notify::edges::rest
