#include "flows/template_admin.hpp"

#include "fakes/fake_templates.hpp"
#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using stores::TemplateRow;

struct TemplateAdminTest : FlowTest {
  Node node{outside, "a", {}};
  fakes::FakeTemplates templates{node.link};
  int changes = 0;
  TemplateAdmin admin{{templates, node.ids, [this] { ++changes; }}};
  TemplateActor dora{"dora", "ipv4:10.0.0.7"};

  static TemplateChange good() {
    TemplateChange change;
    change.name = "greeting";
    change.type = "message";
    change.title = "Hi {{name}}";
    change.sound = "default";
    change.locales = {{"fr", {"Salut {{name}}", "", "", "", {}}}};
    return change;
  }
  Answer<TemplateRow> create(TemplateChange change = good()) {
    return node.run(admin.create(std::move(change), dora, base::Deadline::never()));
  }
  Answer<TemplateRow> update(TemplateChange change) {
    return node.run(admin.update(std::move(change), dora, base::Deadline::never()));
  }
  Answer<TemplateRow> set_active(bool active, std::int32_t revision = 0) {
    TemplateChange change;
    change.name = "greeting";
    change.revision = revision;
    change.active = active;
    return update(change);
  }
  template <class T>
  static std::vector<std::string> fields(const Answer<T>& answer) {
    std::vector<std::string> fields;
    if (answer) return {"done"};
    for (const auto& violation : answer.error().violations) fields.push_back(violation.field);
    return fields;
  }
  using Fields = std::vector<std::string>;
};

TEST_F(TemplateAdminTest, WhatIsRightIsStoredWithWhoDidIt) {
  const auto made = create();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->revision, 1);
  EXPECT_TRUE(made->active);
  EXPECT_EQ(made->data, R"({"title":"Hi {{name}}","sound":"default",)"
                        R"("locales":{"fr":{"title":"Salut {{name}}"}}})");
  ASSERT_EQ(templates.audited.size(), 1u);
  const stores::AuditEntry& entry = templates.audited[0];
  EXPECT_EQ(entry.actor, "dora");
  EXPECT_EQ(entry.action, "template.created");
  EXPECT_EQ(entry.subject_id, "greeting");
  EXPECT_EQ(entry.detail, R"({"fields":"type,title,sound,locales","origin":"ipv4:10.0.0.7",)"
                          R"("revision":1})");
  EXPECT_EQ(changes, 1);
}

TEST_F(TemplateAdminTest, WhatIsWrongIsNamedFieldByFieldAndNotStored) {
  TemplateChange bad = good();
  bad.name = "No name";
  bad.type = "";
  bad.title = "Hi {{name";
  bad.locales->at("fr").body = "{{> x}}";
  EXPECT_EQ(fields(create(bad)), (Fields{"template.name", "template.type", "template.title",
                                         "template.locales[\"fr\"].body"}));
  EXPECT_TRUE(templates.rows.empty());
  EXPECT_EQ(changes, 0);
}

TEST_F(TemplateAdminTest, AnErrorOfATemplateSaysThatItIsOne) {
  ASSERT_TRUE(create());
  const auto taken = create();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().error.code, Errc::already_exists);
  EXPECT_EQ(taken.error().subject, Subject::message_template);
  TemplateChange other = good();
  other.name = "another";
  const auto none = update(other);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error.code, Errc::not_found);
  EXPECT_EQ(none.error().subject, Subject::message_template);
}

TEST_F(TemplateAdminTest, AChangeTouchesOnlyWhatItNames) {
  templates.put(
      "greeting", "message",
      R"({"title":"{{a}}","body":"b","icon":[1],)"
      R"("locales":{"fr":{"title":"f","body":"g","tone":2},"de":{"title":"d","body":"e"}}})");
  TemplateChange change;
  change.name = "greeting";
  change.body = "new";
  EXPECT_EQ(update(change)->data,
            R"({"title":"{{a}}","body":"new","icon":[1],)"
            R"("locales":{"de":{"title":"d","body":"e"},"fr":{"title":"f","body":"g","tone":2}}})");
  change.body = "";
  change.locales = {{"fr", {"h", "", "", "", {}}}};
  EXPECT_EQ(update(change)->data,
            R"({"title":"{{a}}","icon":[1],"locales":{"fr":{"title":"h","tone":2}}})");
  change.title = "{{b";
  EXPECT_EQ(fields(update(change)), (Fields{"template.title"}));
  EXPECT_EQ(templates.rows.at("greeting").revision, 3);
}

TEST_F(TemplateAdminTest, WhoNamesARevisionIsToldThatThereIsAnother) {
  ASSERT_TRUE(create());
  TemplateChange change = good();
  change.title = "Hello {{name}}";
  change.revision = 1;
  EXPECT_EQ(update(change)->revision, 2);
  change.title = "Yo {{name}}";
  EXPECT_EQ(update(change).error().error.code, Errc::conflict);
  change.revision = 0;
  EXPECT_EQ(update(change)->revision, 3);
}

TEST_F(TemplateAdminTest, WhoNamesNoRevisionIsNotHinderedByOthers) {
  ASSERT_TRUE(create());
  std::vector<std::optional<Answer<TemplateRow>>> answers(3);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    TemplateChange change;
    change.name = "greeting";
    if (i == 0) change.title = "a {{name}}";
    if (i == 1) change.body = "b";
    if (i == 1) change.locales.emplace();
    if (i == 2) change.sound = "c";
    node.background.spawn(async::store_result(
        admin.update(std::move(change), dora, base::Deadline::never()), answers[i]));
  }
  outside.time.run_for(1s);
  for (const auto& answer : answers) EXPECT_TRUE(answer && *answer);
  EXPECT_EQ(templates.rows.at("greeting").data, R"({"title":"a {{name}}","body":"b","sound":"c"})");
  EXPECT_EQ(templates.rows.at("greeting").revision, 4);
}

TEST_F(TemplateAdminTest, SwitchedOffTwiceIsOneChangeAndItCanBeSwitchedOnAgain) {
  ASSERT_TRUE(create());
  EXPECT_EQ(set_active(false, 1)->revision, 2);
  EXPECT_EQ(set_active(false)->revision, 2);
  EXPECT_TRUE(set_active(true)->active);
  ASSERT_EQ(templates.audited.size(), 3u);
  EXPECT_EQ(templates.audited[1].action, "template.deactivated");
  EXPECT_EQ(templates.audited[2].action, "template.activated");
}

TEST_F(TemplateAdminTest, OneStoredWithMistakesCanBeSwitchedOffOrMendedAndNothingElse) {
  templates.put("greeting", "message", R"({"title":"{{a"})");
  EXPECT_EQ(fields(set_active(true)), (Fields{"template.title"}));
  EXPECT_FALSE(set_active(false)->active);
  EXPECT_EQ(set_active(false)->revision, 2);
  EXPECT_EQ(templates.rows.at("greeting").data, R"({"title":"{{a"})");
  TemplateChange mended = good();
  mended.active = true;
  EXPECT_TRUE(update(mended)->active);
}

TEST_F(TemplateAdminTest, APreviewShowsWhatASendWouldSay) {
  ASSERT_TRUE(create());
  ASSERT_TRUE(set_active(false));
  const auto preview = [&](const rules::TemplateUse& use) {
    return node.run(admin.preview(use, base::Deadline::never()));
  };
  const auto shown = preview({"greeting", "fr-BE", {{"name", "Eve"}}});
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->text, (rules::RenderedText{"Salut Eve", "", "default", "", "fr"}));
  EXPECT_EQ(shown->revision, 2);
  EXPECT_EQ(fields(preview({"greeting", "", {}})), (Fields{"variables[\"name\"]"}));
  EXPECT_EQ(fields(preview({"Bad", "françé", {}})), (Fields{"name", "locale"}));
  EXPECT_EQ(preview({"another", "", {}}).error().error.code, Errc::not_found);
}

TEST_F(TemplateAdminTest, WhatIsNotStoredIsPreviewedToo) {
  const auto shown = TemplateAdmin::preview(good(), {"", "", {{"name", "Eve"}}});
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->text.title, "Hi Eve");
  EXPECT_EQ(shown->revision, 0);
  TemplateChange bad = good();
  bad.title = "{{x";
  EXPECT_EQ(fields(TemplateAdmin::preview(bad, {"", "??", {}})),
            (Fields{"locale", "template.title"}));
  EXPECT_TRUE(templates.audited.empty());
}

}  // namespace
}  // namespace notify::flows
