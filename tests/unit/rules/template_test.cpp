#include "rules/template.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "rules/lengths.hpp"

namespace notify::rules {
namespace {

TemplateData chat() {
  TemplateData data;
  data.text = {"{{sender}}", "{{#group}}{{group}}: {{/group}}{{preview}}", "default", "CHAT", {}};
  data.locales["fr"] = {"{{sender}} vous écrit", "{{preview}}", "", "", {}};
  data.locales["fr-CA"] = {"{{sender}} t'écrit", "{{preview}}", "orignal", "", {}};
  data.locales["zh-Hant"] = {"{{sender}} 傳訊", "{{preview}}", "", "ZH", {}};
  return data;
}

Template compiled(TemplateData data = chat()) {
  auto made = Template::compile(std::move(data));
  EXPECT_TRUE(made) << (made ? "" : made.error().front().field);
  return std::move(made.value());
}

Violations wrong(const std::function<void(TemplateData&)>& change) {
  TemplateData data = chat();
  change(data);
  auto made = Template::compile(std::move(data));
  return made ? Violations{} : made.error();
}

const Variables kGiven = {{"preview", "Hi"}, {"sender", "Dora"}};

RenderedText rendered(std::string_view locale, const Variables& variables = kGiven) {
  return compiled().render(locale, variables).value();
}

TEST(Template, TheDefaultTextIsForWhomThereIsNoOther) {
  const RenderedText expected{"Dora", "Hi", "default", "CHAT", ""};
  for (const char* locale : {"", "de", "en-GB", "zh", "zh-Hans-CN", "none at all", "f"}) {
    EXPECT_EQ(rendered(locale), expected) << locale;
  }
}

TEST(Template, TheNearestLanguageIsTaken) {
  EXPECT_EQ(rendered("fr"), (RenderedText{"Dora vous écrit", "Hi", "default", "CHAT", "fr"}));
  EXPECT_EQ(rendered("fr-BE").locale, "fr");
  EXPECT_EQ(rendered("FR_ca"), (RenderedText{"Dora t'écrit", "Hi", "orignal", "CHAT", "fr-CA"}));
  EXPECT_EQ(rendered("fr-CA-x-y").locale, "fr-CA");
  EXPECT_EQ(rendered("zh-Hant-TW"), (RenderedText{"Dora 傳訊", "Hi", "default", "ZH", "zh-Hant"}));
}

TEST(Template, EverythingThatIsMissingIsNamed) {
  const Template made = compiled();
  EXPECT_EQ(made.required(), (std::vector<std::string>{"preview", "sender"}));
  EXPECT_EQ(made.optional(), (std::vector<std::string>{"group"}));
  using Names = std::vector<std::string>;
  EXPECT_EQ(made.render("", {}).error(), (Names{"preview", "sender"}));
  EXPECT_EQ(made.render("fr", {{"sender", "Dora"}}).error(), (Names{"preview"}));
  EXPECT_EQ(made.render("", {{"preview", ""}, {"sender", "Dora"}}).error(), (Names{"preview"}));
  EXPECT_EQ(missing_variables({"a", "b"}, "template.")[1].field, "template.variables[\"b\"]");
  EXPECT_EQ(rendered("", {{"group", "G"}, {"preview", "Hi"}, {"sender", "D"}, {"x", "y"}}).body,
            "G: Hi");
}

TEST(Template, TextsAreCutToWhatPlatformsShow) {
  std::string family;
  for (int i = 0; i < 300; ++i) family += "\U0001F468\u200D\U0001F469\u200D\U0001F467";
  const std::string name(500, 'x');
  const RenderedText text =
      rendered("", {{"preview", family.substr(0, 18 * 100)}, {"sender", name}});
  EXPECT_EQ(text.title, std::string(kLongest.title - 1, 'x') + "…");
  EXPECT_EQ(text.body, family.substr(0, 18 * 100));
  // 255 code points hold 50 families of five, not 65.
  const RenderedText titled = rendered("", {{"preview", "Hi"}, {"sender", family}});
  EXPECT_EQ(titled.title, family.substr(0, 18 * 50) + "…");
}

TEST(Template, WhatIsWrongIsToldWithFieldAndPlace) {
  const auto field = [](const std::function<void(TemplateData&)>& change) {
    const Violations found = wrong(change);
    return found.size() == 1 ? found[0].field : std::to_string(found.size()) + " violations";
  };
  EXPECT_EQ(wrong([](TemplateData&) {}), Violations{});
  EXPECT_EQ(wrong([](TemplateData& d) { d.text.body = "Hi {{preview"; }),
            (Violations{{"body", "has a tag without its end \"}}\" at character 4"}}));
  EXPECT_EQ(wrong([](TemplateData& d) { d.locales["fr"].body = "{{> a}} {b"; }).size(), 2u);
  EXPECT_EQ(field([](TemplateData& d) { d.text.title = std::string(1025, 'x'); }), "title");
  EXPECT_EQ(field([](TemplateData& d) { d.locales["fr"].title = ""; }), "locales[\"fr\"].title");
  EXPECT_EQ(field([](TemplateData& d) { d.locales["fr"].body = ""; }), "locales[\"fr\"].body");
  EXPECT_EQ(field([](TemplateData& d) { d.locales["fr"].title = "{{group}}"; }),
            "locales[\"fr\"].title");
  EXPECT_EQ(field([](TemplateData& d) { d.text.sound = "{{sender}}"; }), "sound");
  EXPECT_EQ(field([](TemplateData& d) { d.text.sound = std::string(101, 's'); }), "sound");
  EXPECT_EQ(field([](TemplateData& d) { d.text.category = "a\nb"; }), "category");
  EXPECT_EQ(field([](TemplateData& d) { d.text.body += "\x01"; }), "body");
  EXPECT_EQ(field([](TemplateData& d) { d.text.body += "\xff"; }), "body");
  EXPECT_EQ(field([](TemplateData& d) { d.locales["f"].title = "x"; }), "locales[\"f\"]");
  EXPECT_EQ(field([](TemplateData& d) { d.locales["a\nb"].title = "x"; }), "locales");
  EXPECT_EQ(field([](TemplateData& d) { d.locales["FR"] = d.locales["fr"]; }), "locales[\"fr\"]");
  EXPECT_EQ(field([](TemplateData& d) {
              for (char c = 'a'; c <= 'z'; ++c) {
                for (const char* end : {"a", "b"}) d.locales[c + std::string(end)] = d.text;
              }
            }),
            "locales");
  EXPECT_EQ(
      field([](TemplateData& d) { d.text.other["x"] = '"' + std::string(66'000, 'y') + '"'; }),
      "*");
}

TEST(TemplateData, WhatNobodyKnowsSurvives) {
  const std::string json =
      R"({"title":"{{a}}","body":"b","sound":"default","icon":{"a":[1,2.50,null]},"n":12345678901,)"
      R"("locales":{"fr":{"title":"é \"{{a}}\"","body":"c","tone":true}}})";
  const TemplateData data = decode_template(json).value();
  EXPECT_EQ(data.text.other.at("n"), "12345678901");
  EXPECT_EQ(data.locales.at("fr").other.at("tone"), "true");
  EXPECT_EQ(data.locales.at("fr").title, "é \"{{a}}\"");
  EXPECT_EQ(decode_template(encode_template(data)).value(), data);
  EXPECT_NE(encode_template(data).find(R"("icon":{"a":[1,2.5,null]})"), std::string::npos);
}

TEST(TemplateData, WhatHasNotTheFormIsRefused) {
  for (const char* json : {"", "[]", "3", "{", "null"}) {
    EXPECT_EQ(decode_template(json).error().front().field, "*") << json;
  }
  EXPECT_EQ(decode_template(R"({"title":1})").error().front().field, "title");
  EXPECT_EQ(decode_template(R"({"locales":[]})").error().front().field, "locales");
  EXPECT_EQ(decode_template(R"({"locales":{"fr":"x"}})").error().front().field, "locales");
  EXPECT_EQ(decode_template(R"({"locales":{"fr":{"body":{}}}})").error().front().field,
            "locales[\"fr\"].body");
}

TEST(TemplateUse, IsCheckedBeforeAnythingIsLookedUp) {
  const auto field = [](const TemplateUse& use) {
    const Violations found = check_template_use(use, "template.");
    return found.empty() ? "" : found.front().field;
  };
  EXPECT_EQ(field({"new_message", "fr-CA", {{"a", "1"}}}), "");
  for (const std::string& name :
       {std::string(), std::string("New"), std::string("1a"), std::string(101, 'a')}) {
    EXPECT_EQ(field({name, "", {}}), "template.name");
  }
  EXPECT_EQ(field({"a", "français", {}}), "template.locale");
  EXPECT_EQ(field({"a", "", {{"a b", "1"}}}), "template.variables[entry 1 by key order]");
  EXPECT_EQ(field({"a", "", {{"b", "\x01"}}}), "template.variables[\"b\"]");
  const std::string long_value(2049, 'x');
  EXPECT_EQ(field({"a", "", {{"b", long_value}}}), "template.variables[\"b\"]");
  EXPECT_EQ(field({"a", "", Variables(33, {"b", "1"})}), "template.variables");
}

RC_GTEST_PROP(Template, AShortValueIsShownWordForWord, (const std::string& raw)) {
  std::string value = "{{preview}}";
  for (const char c : raw.substr(0, 30)) value += static_cast<char>(' ' + (c & 0x3F));
  const RenderedText text = rendered("", {{"preview", value}, {"sender", value}});
  RC_ASSERT(text.title == value);
  RC_ASSERT(text.body == value);
}

}  // namespace
}  // namespace notify::rules
