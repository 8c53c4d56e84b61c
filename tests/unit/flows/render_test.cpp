// Sending by template: what accept makes of a request that names one.

#include "flows/render.hpp"

#include "fakes/fake_templates.hpp"
#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;

struct RenderTest : FlowTest {
  Node node{outside, "a", {}};
  fakes::FakeTemplates templates{node.link};
  stores::TemplateCache cache{templates, node.loop.timers, {}};
  Render render{cache, node.loop.timers};
  Accept accept{{node.ledger,
                 node.queue,
                 node.deciding,
                 node.ids,
                 {},
                 node.accept_events(),
                 [] {},
                 [] { return std::optional<base::WallTime>(); },
                 1000,
                 &render},
                node.clock,
                node.loop.timers.executor(),
                Node::no_escape()};

  RenderTest() {
    templates.put("mention", "message",
                  R"({"title":"{{who}} mentioned you","body":"{{text}}","sound":"mention",)"
                  R"("category":"CHAT","locales":{"fr":{"title":"{{who}} vous a mentionné",)"
                  R"("body":"{{text}}"}}})");
    templates.put("call", "call", R"({"title":"{{#who}}{{who}}{{/who}}"})");
  }

  ~RenderTest() override { node.run(accept.stop()); }

  static rules::SendRequest request(std::string_view name = "mention",
                                    rules::Variables variables = {{"text", "{{who}}"},
                                                                  {"who", "Dora"}}) {
    rules::SendRequest request;
    request.user_id = kUserText;
    request.template_use = rules::TemplateUse{name, "fr-CA", std::move(variables)};
    return request;
  }
  Accept::Answers send_all(std::vector<rules::SendRequest> requests) {
    return node.run(accept.accept(std::move(requests), {}));
  }
  Answer<Accepted> send(rules::SendRequest request) {
    std::vector<rules::SendRequest> alone;
    alone.push_back(std::move(request));
    return std::move(send_all(std::move(alone)).front());
  }
  std::vector<std::string> bad_fields(rules::SendRequest request) {
    const auto answer = send(std::move(request));
    std::vector<std::string> fields;
    if (answer) return {"accepted"};
    for (const auto& violation : answer.error().violations) fields.push_back(violation.field);
    return fields;
  }
  const rules::Notification& stored(const Answer<Accepted>& answer) {
    return outside.table.rows.at(answer->id).record.notification;
  }
  using Fields = std::vector<std::string>;
};

TEST_F(RenderTest, TheTextsAreTheTemplatesInTheNearestLanguage) {
  const auto answer = send(request());
  ASSERT_TRUE(answer);
  const rules::Notification& n = stored(answer);
  EXPECT_EQ(n.title, "Dora vous a mentionné");
  EXPECT_EQ(n.body, "{{who}}");
  EXPECT_EQ(n.type, "message");
  EXPECT_EQ(n.presentation.sound, "mention");
  EXPECT_EQ(n.presentation.category, "CHAT");
  EXPECT_EQ(n.expires_at, n.created_at() + 4h);
  EXPECT_EQ(n.template_used, (rules::TemplateUsed{"mention", 1, "fr"}));
  outside.time.run_for(100ms);
  EXPECT_EQ(outside.books.queued.at(n.id).notification.title, n.title);
}

TEST_F(RenderTest, WhatTheCallerSaysOfTypeAndCategoryStands) {
  rules::SendRequest own = request();
  own.type = "call";
  own.category = "MINE";
  const auto answer = send(own);
  ASSERT_TRUE(answer);
  EXPECT_EQ(stored(answer).type, "call");
  EXPECT_EQ(stored(answer).presentation.category, "MINE");
  const auto call = send(request("call", {{"who", "Dora"}}));
  ASSERT_TRUE(call);
  EXPECT_EQ(stored(call).expires_at, stored(call).created_at() + 45s);
}

TEST_F(RenderTest, WhatIsMissingOrUnknownIsNamedAndNothingIsStored) {
  EXPECT_EQ(bad_fields(request("mention", {})),
            (Fields{"template.variables[\"text\"]", "template.variables[\"who\"]"}));
  EXPECT_EQ(bad_fields(request("nobody")), (Fields{"template.name"}));
  EXPECT_EQ(bad_fields(request("No Name")), (Fields{"template.name"}));
  EXPECT_EQ(bad_fields(request("call", {})), (Fields{"template.variables"}));
  templates.rows.at("mention").active = false;
  cache.invalidate();
  EXPECT_EQ(bad_fields(request()), (Fields{"template.name"}));
  EXPECT_TRUE(outside.table.rows.empty());
}

TEST_F(RenderTest, ATemplateStandsAloneAndOtherFieldsAreStillChecked) {
  rules::SendRequest both = request("mention", {{"who", "Dora"}});
  both.title = "t";
  both.body = "b";
  both.sound = "s";
  both.badge = -1;
  both.user_id = "alice";
  EXPECT_EQ(bad_fields(both),
            (Fields{"user_id", "title", "body", "sound", "badge", "template.variables[\"text\"]"}));
  rules::SendRequest background = request();
  background.background = true;
  EXPECT_EQ(bad_fields(background), (Fields{"template"}));
}

TEST_F(RenderTest, ManyOfOneTemplateLookItUpOnceAndOthersNotAtAll) {
  std::vector<rules::SendRequest> requests = good_requests(3);
  ASSERT_TRUE(send_all(requests)[2]);
  EXPECT_EQ(templates.finds, 0u);
  for (int i = 0; i < 20; ++i) requests.push_back(request());
  requests.push_back(request("nobody"));
  const auto answers = send_all(requests);
  EXPECT_EQ(templates.finds, 2u);
  EXPECT_TRUE(answers[0]);
  EXPECT_TRUE(answers[3]);
  EXPECT_FALSE(answers.back());
}

TEST_F(RenderTest, ARepeatIsOneThoughTheTemplateHasChanged) {
  const auto first = send(request());
  templates.put("mention", "message", R"({"title":"{{who}}"})");
  cache.invalidate();
  const auto again = send(request());
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->id, first->id);
  EXPECT_TRUE(again->is_repeat);
  const auto other = send(request("mention", {{"text", "x"}, {"who", "Eve"}}));
  ASSERT_TRUE(other);
  EXPECT_NE(other->id, first->id);
}

TEST_F(RenderTest, IfItCannotBeLookedUpTheCallerIsToldToComeBack) {
  templates.faults.find.fail(Errc::unavailable, 1);
  auto requests = good_requests(1);
  requests.push_back(request());
  const auto answers = send_all(requests);
  EXPECT_TRUE(answers[0]);
  ASSERT_FALSE(answers[1]);
  EXPECT_EQ(answers[1].error().error.code, Errc::unavailable);
  EXPECT_TRUE(answers[1].error().retry_after);
  EXPECT_TRUE(send(request()));
  cache.invalidate();
  templates.faults.find.fail(Errc::timed_out, 1);
  EXPECT_EQ(send(request("mention", {{"text", "x"}, {"who", "Eve"}})).error().error.code,
            Errc::unavailable);
}

TEST_F(RenderTest, WithoutTheCollaboratorATemplateIsRefused) {
  const auto answer = node.run(accept_one(node.accept, request()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().violations.at(0).field, "template");
}

}  // namespace
}  // namespace notify::flows
