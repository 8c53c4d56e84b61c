#include "rules/mustache.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace notify::rules {
namespace {

using MustacheNames = std::set<std::string, std::less<>>;

MustacheText parsed_mustache(std::string_view text) {
  auto parsed = MustacheText::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? std::move(*parsed) : MustacheText();
}
std::string rendered_mustache(std::string_view text, const Variables& variables) {
  return parsed_mustache(text).render(variables);
}
std::vector<std::string> problems(std::string_view text) {
  const auto parsed = MustacheText::parse(text);
  return parsed ? std::vector<std::string>() : parsed.error();
}

TEST(MustacheText, FillsInWhatIsGiven) {
  EXPECT_EQ(rendered_mustache("", {}), "");
  EXPECT_EQ(rendered_mustache("no tag, été", {}), "no tag, été");
  EXPECT_EQ(rendered_mustache("{{a}}: {{ b }}!", {{"a", "Dora"}, {"b", "Hi"}}), "Dora: Hi!");
  EXPECT_EQ(rendered_mustache("{{{a}}} {{&a}}", {{"a", "x"}}), "x x");
  EXPECT_EQ(rendered_mustache("a{{! nobody reads this }}b", {}), "ab");
  EXPECT_EQ(rendered_mustache("two\nlines  {{a}}\t.", {{"a", "x"}}), "two\nlines  x\t.");
}

TEST(MustacheText, NothingIsEscapedAndNoValueIsATemplate) {
  EXPECT_EQ(rendered_mustache("{{a}}", {{"a", "<b> & \"c\" 'd'"}}), "<b> & \"c\" 'd'");
  EXPECT_EQ(rendered_mustache("{{a}}{{b}}", {{"a", "{{b}}"}, {"b", "{{#a}}"}}), "{{b}}{{#a}}");
  EXPECT_EQ(rendered_mustache("{{a}}", {{"a", "{{=<% %>=}}"}}), "{{=<% %>=}}");
  EXPECT_EQ(rendered_mustache("{{#a}}{{a}}{{/a}}", {{"a", "   "}}), "   ");
}

TEST(MustacheText, ASectionIsThereIfItsVariableIs) {
  const std::string text = "{{#group}}{{group}}: {{/group}}{{^group}}You: {{/group}}{{text}}";
  EXPECT_EQ(rendered_mustache(text, {{"group", "Climbers"}, {"text", "Hi"}}), "Climbers: Hi");
  EXPECT_EQ(rendered_mustache(text, {{"text", "Hi"}}), "You: Hi");
  EXPECT_EQ(rendered_mustache(text, {{"group", ""}, {"text", "Hi"}}), "You: Hi");
  EXPECT_EQ(rendered_mustache("{{#a}}{{#b}}{{a}}{{b}}{{/b}}{{/a}}", {{"a", "1"}, {"b", "2"}}),
            "12");
}

TEST(MustacheText, RequiresWhatIsShownAndNotWhatASectionLeavesOut) {
  const MustacheText text =
      parsed_mustache("{{a}}{{#b}}{{b}}{{c}}{{/b}}{{^d}}x{{/d}}{{#e}}{{/e}}{{e}}{{#a}}{{/a}}");
  EXPECT_EQ(text.required(), (MustacheNames{"a", "c", "e"}));
  EXPECT_EQ(text.optional(), (MustacheNames{"b", "d"}));
}

TEST(MustacheText, EverythingThatIsWrongIsToldWithItsPlace) {
  using All = std::vector<std::string>;
  const std::string name = ": 1 to 64 letters, digits and underscores, not starting with a digit";
  EXPECT_EQ(problems("été {{a"), (All{"has a tag without its end \"}}\" at character 5"}));
  EXPECT_EQ(problems("{{"), (All{"has a tag without its end \"}}\" at character 1"}));
  EXPECT_EQ(problems("x{{#a}}"),
            (All{"has a section without its end \"{{/name}}\" at character 2"}));
  EXPECT_EQ(problems("{{#a}}{{#b}}{{/a}}{{/b}}"),
            (All{"has a section without its end \"{{/name}}\" at character 1"}));
  EXPECT_EQ(problems("x{{/a}}"),
            (All{"has the end of a section that has no beginning at character 2"}));
  EXPECT_EQ(problems("{{> other}}"),
            (All{"has a partial, which templates do not have, at character 1"}));
  EXPECT_EQ(problems("a{{=<% %>=}}b"), (All{"has a change of the delimiters at character 2"}));
  EXPECT_EQ(problems("{{=x=}}"), (All{"has a change of the delimiters at character 1"}));
  EXPECT_EQ(problems("{{}}{{a.b}}{{.}}{{ün}}{{1a}}{{a b}}"),
            (All{"has a name that is none at character 1" + name,
                 "has a name that is none at character 5" + name,
                 "has a name that is none at character 12" + name,
                 "has a name that is none at character 17" + name,
                 "has a name that is none at character 23" + name,
                 "has a name that is none at character 29" + name}));
  EXPECT_EQ(problems("{a}").size(), 1u);
  EXPECT_EQ(problems("ab}} {{a}}"), (All{"has a brace that belongs to no tag at character 3: a "
                                         "variable is written {{name}}"}));
  EXPECT_EQ(problems("{{^a}}{{a}}{{/a}}"),
            (All{"has a variable inside the section for when it is absent at character 7"}));
}

TEST(MustacheText, NamesAndDepthHaveTheirBounds) {
  EXPECT_TRUE(is_variable_name("_sender_1"));
  EXPECT_TRUE(is_variable_name(std::string(64, 'a')));
  for (const std::string& name : {std::string(), std::string(65, 'a'), std::string("a-b"),
                                  std::string("a b"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_variable_name(name)) << name;
  }
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text = "{{#a}}" + text + "{{/a}}";
    return text;
  };
  EXPECT_TRUE(problems(nested(MustacheText::kDepthMax)).empty());
  EXPECT_EQ(problems(nested(MustacheText::kDepthMax + 1)).size(), 1u);
  EXPECT_FALSE(problems(nested(400)).empty());
}

/// Pieces that make templates, sound ones and others.
rc::Gen<std::string> any_template() {
  const auto piece = rc::gen::element<std::string>(
      "{{a}}", "{{b}}", "{{#a}}", "{{/a}}", "{{^a}}", "{{#c}}{{c}}{{/c}}", "{{{b}}}", "text", " ",
      "\n", "é", "{{", "}}", "{", "{{!x}}", "{{=| |=}}", "|a|", "{{>p}}", "=", "{{&a}}", "{{ }}");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const std::vector<std::string>& pieces) {
                        std::string text;
                        for (const std::string& one : pieces) text += one;
                        return text;
                      });
}

RC_GTEST_PROP(MustacheText, OfTheTemplateNoBraceIsEverLeft, ()) {
  const auto parsed = MustacheText::parse(*any_template());
  if (!parsed) {
    RC_ASSERT(!parsed.error().empty());
    return;
  }
  for (const Variables& some : {Variables{}, Variables{{"a", "1"}}, Variables{{"c", "1"}}}) {
    RC_ASSERT(parsed->render(some).find_first_of("{}") == std::string::npos);
  }
}

RC_GTEST_PROP(MustacheText, ValuesAreThereWordForWord,
              (const std::string& a, const std::string& b)) {
  RC_ASSERT(rendered_mustache("<{{a}}|{{b}}>", {{"a", a}, {"b", b}}) == "<" + a + "|" + b + ">");
  const std::string tagged = "{{b}}" + a + "{{#b}}{{/b}}{{> x}}";
  RC_ASSERT(rendered_mustache("{{a}}", {{"a", tagged}, {"b", b}}) == tagged);
  RC_ASSERT(rendered_mustache("{{#a}}\n{{a}}\n{{/a}}", {{"a", tagged}}) == "\n" + tagged + "\n");
}

}  // namespace
}  // namespace notify::rules
