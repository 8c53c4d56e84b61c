#include "edges/rest/openapi.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/edges_rest/fake_methods.hpp"

namespace notify::edges::rest {
namespace {

using Json = nlohmann::json;

struct OpenapiTest : testing::Test {
  FakeMethods methods;
  const RouteTable routes = RouteTable::create(methods.table.methods()).value();
  const Json document = Json::parse(openapi_document(routes, "1.2.3"));

  [[nodiscard]] const Json& operation(const std::string& path, const std::string& verb) const {
    return document.at("paths").at("/api/v1/notifications" + path).at(verb);
  }
  [[nodiscard]] static std::vector<std::string> names(const Json& parameters) {
    std::vector<std::string> all;
    for (const Json& parameter : parameters) {
      all.push_back(parameter["in"].get<std::string>() + " " +
                    parameter["name"].get<std::string>());
    }
    return all;
  }
};

using Names = std::vector<std::string>;

TEST_F(OpenapiTest, HasEveryRouteAndNoOther) {
  EXPECT_EQ(document["openapi"], "3.0.3");
  EXPECT_EQ(document["info"]["version"], "1.2.3");
  std::size_t operations = 0;
  for (const auto& [path, verbs] : document["paths"].items()) operations += verbs.size();
  std::size_t served = 0;
  for (const Resource& resource : routes.resources()) served += resource.routes.size();
  EXPECT_EQ(operations, served);
}

TEST_F(OpenapiTest, ParametersAreWhatPathBodyAndTokenLeave) {
  EXPECT_EQ(names(operation("", "get")["parameters"]),
            (Names{"query page_size", "query page_token"}));
  EXPECT_EQ(names(operation("/{notification_id}", "get")["parameters"]),
            Names{"path notification_id"});
  EXPECT_EQ(names(operation("/conversations/{conversation_id}/settings", "patch")["parameters"]),
            (Names{"path conversation_id", "query update_mask", "header If-Match"}));
  EXPECT_FALSE(operation("/settings", "get").contains("parameters"));
}

TEST_F(OpenapiTest, BodiesAndAnswersAreSchemas) {
  const Json& patch = operation("/settings", "patch");
  const std::string settings = "#/components/schemas/notification.UserSettings";
  EXPECT_EQ(patch["requestBody"]["content"]["application/json"]["schema"]["$ref"], settings);
  EXPECT_EQ(patch["responses"]["200"]["content"]["application/json"]["schema"]["$ref"], settings);
  EXPECT_EQ(patch["responses"]["200"]["headers"]["RateLimit-Remaining"]["$ref"],
            "#/components/headers/RateLimit-Remaining");
  EXPECT_TRUE(document["components"]["headers"].contains("RateLimit-Remaining"));
  EXPECT_TRUE(document["components"]["responses"]["Error"]["headers"].contains("Retry-After"));
  const Json& mute = operation("/conversations/{conversation_id}/mute", "post");
  const Json& schema = mute["requestBody"]["content"]["application/json"]["schema"];
  EXPECT_EQ(schema["properties"].size(), 1U);
  EXPECT_EQ(schema["properties"]["muted_until"]["format"], "date-time");
  const Json& fields = document["components"]["schemas"]["notification.UserSettings"]["properties"];
  EXPECT_EQ(fields["types"]["additionalProperties"]["type"], "boolean");
  EXPECT_EQ(fields["quiet_hours"]["allOf"][0]["$ref"],
            "#/components/schemas/notification.QuietHours");
  EXPECT_EQ(document["components"]["schemas"]["notification.PreviewLevel"]["enum"][3],
            "PREVIEW_LEVEL_NONE");
}

TEST_F(OpenapiTest, EveryReferenceLeadsSomewhere) {
  const std::string text = document.dump();
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find("\"$ref\":\"#", at)) != text.npos; ++found) {
    const std::size_t begin = at + 9;
    at = text.find('"', begin);
    EXPECT_TRUE(document.contains(Json::json_pointer(text.substr(begin, at - begin))))
        << text.substr(begin, at - begin);
  }
  EXPECT_GT(found, 20U);
}

TEST_F(OpenapiTest, TheCommentsOfTheProtosAreItsWords) {
  EXPECT_EQ(operation("", "get")["summary"], "A user's notifications, newest first");
  const std::string replaces = operation("/settings/quiet-hours", "put")["description"];
  EXPECT_TRUE(replaces.starts_with("Replaces the quiet hours. A field that is")) << replaces;
  const Json& days =
      document["components"]["schemas"]["notification.QuietHours"]["properties"]["days"];
  EXPECT_EQ(days["description"], "1 (Monday) to 7. None: all of them.");
}

}  // namespace
}  // namespace notify::edges::rest
