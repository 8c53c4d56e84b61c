#include "rules/template.hpp"

#include <simdjson.h>

#include <algorithm>
#include <set>

#include "base/graphemes.hpp"
#include "base/json_object.hpp"
#include "rules/checker.hpp"
#include "rules/lengths.hpp"
#include "rules/locale.hpp"
#include "rules/style.hpp"

namespace notify::rules {
namespace {

using base::Expected;
using base::Unexpected;
using simdjson::SUCCESS;
using Element = simdjson::dom::element;
using Names = std::set<std::string, std::less<>>;

constexpr std::size_t kCategoryMax = 64;

std::string path_of(const std::string& tag) {
  return tag.empty() ? std::string() : "locales[\"" + tag + "\"].";
}

/// Whether it may stand in the path of a field.
bool is_showable(std::string_view tag) {
  return tag.size() <= 35 && std::all_of(tag.begin(), tag.end(), [](char c) {
           return c > ' ' && c <= '~' && c != '"' && c != '\\';
         });
}

/// A text field of JSON into `to`; a key that is none of ours is kept.
void read_member(const simdjson::dom::key_value_pair& field, const std::string& path,
                 TemplateText& to, Checker& check) {
  std::string* known = nullptr;
  if (field.key == "title") known = &to.title;
  if (field.key == "body") known = &to.body;
  if (field.key == "sound") known = &to.sound;
  if (field.key == "category") known = &to.category;
  if (known == nullptr) {
    to.other[std::string(field.key)] = simdjson::minify(field.value);
    return;
  }
  std::string_view value;
  if (field.value.get(value) == SUCCESS) {
    *known = value;
  } else {
    check.add(path + std::string(field.key), "must be a string");
  }
}

void read_locales(const Element& value, TemplateData& to, Checker& check) {
  simdjson::dom::object locales;
  if (value.get(locales) != SUCCESS) {
    check.add("locales", "must be an object of texts by language");
    return;
  }
  for (const auto& locale : locales) {
    const std::string tag(locale.key);
    simdjson::dom::object members;
    if (locale.value.get(members) != SUCCESS) {
      check.add("locales", "must be an object of texts by language: one is no object");
      continue;
    }
    TemplateText& text = to.locales[tag];
    for (const auto& member : members) read_member(member, path_of(tag), text, check);
  }
}

base::JsonObject to_json(const TemplateText& text) {
  base::JsonObject object;
  object.text("title", text.title).text_if_set("body", text.body);
  object.text_if_set("sound", text.sound).text_if_set("category", text.category);
  for (const auto& [key, json] : text.other) object.raw(key, json);
  return object;
}

std::vector<std::string> to_vector(const Names& names) { return {names.begin(), names.end()}; }

Names united(const Names& some, const Names& others) {
  Names all = some;
  all.insert(others.begin(), others.end());
  return all;
}

std::string cut(const std::string& text, std::size_t graphemes, std::size_t code_points) {
  return base::cut_graphemes(text, {graphemes, code_points, kBodyBytesMax});
}

}  // namespace

bool is_template_name(std::string_view name) {
  constexpr std::size_t kNameMax = 100;  // VARCHAR(100)
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kNameMax && is_lower(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

Expected<TemplateData, Violations> decode_template(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (parser.parse(json.data(), json.size()).get(root) != SUCCESS) {
    return Unexpected<Violations>(Violations{{"*", "is no JSON object"}});
  }
  Checker check;
  TemplateData data;
  for (const auto& field : root) {
    if (field.key == "locales") {
      read_locales(field.value, data, check);
    } else {
      read_member(field, "", data.text, check);
    }
  }
  if (!check.ok()) return Unexpected<Violations>(std::move(check).take());
  return data;
}

std::string encode_template(const TemplateData& data) {
  base::JsonObject object = to_json(data.text);
  if (!data.locales.empty()) {
    base::JsonObject locales;
    for (const auto& [tag, text] : data.locales) locales.object(tag, to_json(text));
    object.object("locales", std::move(locales));
  }
  return std::move(object).finish();
}

Violations check_template_use(const TemplateUse& use, const std::string& prefix) {
  Checker check;
  if (!is_template_name(use.name)) {
    check.add(prefix + "name", kTemplateNameForm);
  }
  if (!use.locale.empty() && !normalize_locale(use.locale)) {
    check.add(prefix + "locale", "must be a language tag of at most 35 bytes, as in \"fr-CA\"");
  }
  if (use.variables.size() > kVariablesMax) {
    check.add(prefix + "variables",
              "has " + std::to_string(use.variables.size()) + " entries; at most 32 are allowed");
    return std::move(check).take();
  }
  for (std::size_t i = 0; i < use.variables.size(); ++i) {
    const auto& [name, value] = use.variables[i];
    if (is_variable_name(name)) {
      check.text(prefix + "variables[\"" + std::string(name) + "\"]", value, kVariableValueMax,
                 Checker::Lines::allowed);
    } else {
      check.add(prefix + "variables[entry " + std::to_string(i + 1) + " by key order]",
                "the name must be 1 to 64 letters, digits and underscores, not starting with a "
                "digit");
    }
  }
  return std::move(check).take();
}

Violations missing_variables(const std::vector<std::string>& names, const std::string& prefix) {
  Violations violations;
  for (const std::string& name : names) {
    violations.push_back({prefix + "variables[\"" + name + "\"]",
                          "is required by the template, and missing or empty"});
  }
  return violations;
}

/// Checks one text after the other, and parses what is in order.
class Template::Compiler {
 public:
  explicit Compiler(Template& to) : to_(to) {}

  void compile() {
    const TemplateData& data = to_.data_;
    if (data.locales.size() > kTemplateLocalesMax) {
      check_.add("locales", "has " + std::to_string(data.locales.size()) +
                                " languages; at most 50 are allowed");
      return;
    }
    add("", "", data.text);
    default_is_sound_ = check_.ok();
    for (const auto& [tag, text] : data.locales) add_locale(tag, text);
    const std::size_t size = encode_template(data).size();
    if (size > kTemplateDataMax) {
      check_.add("*", "is " + std::to_string(size) + " bytes as JSON; at most 65,536 are allowed");
    }
  }
  [[nodiscard]] Violations take() && { return std::move(check_).take(); }

 private:
  void add_locale(const std::string& tag, const TemplateText& text) {
    if (!is_locale_of_text(tag)) {
      check_.add(is_showable(tag) ? "locales[\"" + tag + "\"]" : "locales",
                 "must be a language tag (BCP 47): a language, and a script, a region and variants "
                 "if wanted, as in \"fr-CA\"");
      return;
    }
    const std::string key = *normalize_locale(tag);
    if (to_.variants_.contains(key)) {
      check_.add("locales[\"" + tag + "\"]", "is there twice, in another case");
      return;
    }
    if (text.body.empty() && !to_.data_.text.body.empty()) {
      check_.add(path_of(tag) + "body", "is required, since the default text has one");
    }
    add(key, tag, text);
    if (default_is_sound_) require_no_more(key, tag);
  }

  void add(const std::string& key, const std::string& tag, const TemplateText& text) {
    const std::string path = path_of(tag);
    const TemplateText& fallback = to_.data_.text;
    if (base::is_blank(text.title)) check_.add(path + "title", "is required");
    auto title = parse(path + "title", text.title, kTemplateTitleMax);
    auto body = parse(path + "body", text.body, kTemplateBodyMax);
    check_name(path + "sound", text.sound, kSoundMax);
    check_name(path + "category", text.category, kCategoryMax);
    to_.variants_.emplace(key, Variant{tag, std::move(title), std::move(body),
                                       text.sound.empty() ? fallback.sound : text.sound,
                                       text.category.empty() ? fallback.category : text.category});
  }

  MustacheText parse(const std::string& field, const std::string& text, std::size_t bytes_max) {
    if (!check_.text(field, text, bytes_max, Checker::Lines::allowed)) return {};
    auto parsed = MustacheText::parse(text);
    if (parsed) return std::move(*parsed);
    for (std::string& problem : parsed.error()) check_.add(field, std::move(problem));
    return {};
  }

  void check_name(const std::string& field, const std::string& text, std::size_t bytes_max) {
    if (!check_.short_text(field, text, bytes_max)) return;
    if (text.find_first_of("{}") != std::string::npos) {
      check_.add(field, "is a name, and has no variables: a brace must not be in it");
    }
  }

  /// Else a caller who gives what the default text needs would fail for readers of this one.
  void require_no_more(const std::string& key, const std::string& tag) {
    const Variant& base = to_.variants_.at("");
    const Names known = united(base.title.required(), base.body.required());
    const Variant& variant = to_.variants_.at(key);
    for (const auto& [field, text] :
         {std::pair("title", &variant.title), std::pair("body", &variant.body)}) {
      for (const std::string& name : text->required()) {
        if (known.contains(name)) continue;
        check_.add(path_of(tag) + field,
                   "needs the variable \"" + name + "\", which the default text does not need");
      }
    }
  }

  Template& to_;
  Checker check_;
  bool default_is_sound_ = false;
};

Expected<Template, Violations> Template::compile(TemplateData data) {
  Template made;
  made.data_ = std::move(data);
  Compiler compiler(made);
  compiler.compile();
  Violations violations = std::move(compiler).take();
  if (!violations.empty()) return Unexpected<Violations>(std::move(violations));
  return made;
}

std::vector<std::string> Template::required() const {
  const Variant& base = variants_.at("");
  return to_vector(united(base.title.required(), base.body.required()));
}

std::vector<std::string> Template::optional() const {
  const Variant& base = variants_.at("");
  Names names = united(base.title.optional(), base.body.optional());
  for (const std::string& name : required()) names.erase(name);
  return to_vector(names);
}

const Template::Variant& Template::variant_for(std::string_view locale) const {
  const std::string wanted = normalize_locale(locale).value_or("");
  for (std::string_view tag = wanted; !tag.empty(); tag = broader_locale(tag)) {
    const auto found = variants_.find(tag);
    if (found != variants_.end()) return found->second;
  }
  return variants_.at("");
}

Expected<RenderedText, std::vector<std::string>> Template::render(
    std::string_view locale, const Variables& variables) const {
  const Variant& variant = variant_for(locale);
  std::vector<std::string> missing;
  for (const std::string& name : united(variant.title.required(), variant.body.required())) {
    const bool given = std::any_of(variables.begin(), variables.end(), [&](const auto& variable) {
      return variable.first == name && !variable.second.empty();
    });
    if (!given) missing.push_back(name);
  }
  if (!missing.empty()) return Unexpected<std::vector<std::string>>(std::move(missing));
  return RenderedText{cut(variant.title.render(variables), kLongest.title, kTitleCharactersMax),
                      cut(variant.body.render(variables), kLongest.body, kBodyBytesMax),
                      variant.sound, variant.category, variant.tag};
}

}  // namespace notify::rules
