#pragma once
// Templates of titles and bodies, in as many languages as somebody wrote them: the column
// `template_data`, what may stand in it, and what a notification made of it says.
//
// {"title": "{{sender_name}}", "body": "{{message_preview}}", "sound": "default", "category":
// "CHAT",
//  "locales": {"fr": {"title": "...", "body": "..."}, "zh-Hant": {...}}}
//
// A caller gives variables, and gets a text or the names of those that are missing: never a blank,
// never a brace. Values are data: they appear as they are, and are never read as a template.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "rules/mustache.hpp"
#include "rules/violation.hpp"

namespace notify::rules {

/// One text, as it was written.
struct TemplateText {
  std::string title;
  std::string body;
  std::string sound;     ///< the name of a sound, not a template
  std::string category;  ///< likewise
  /// Keys that this program does not know, with their values as JSON: they stay.
  std::map<std::string, std::string> other;

  friend bool operator==(const TemplateText&, const TemplateText&) = default;
};

struct TemplateData {
  TemplateText text;                            ///< for whom no other is
  std::map<std::string, TemplateText> locales;  ///< by BCP 47 tag, as written

  friend bool operator==(const TemplateData&, const TemplateData&) = default;
};

inline constexpr std::size_t kTemplateTitleMax = 1024;  // bytes, before variables are filled in
inline constexpr std::size_t kTemplateBodyMax = 4096;
inline constexpr std::size_t kTemplateLocalesMax = 50;
inline constexpr std::size_t kTemplateDataMax = 65'536;  // bytes of JSON
inline constexpr std::size_t kVariablesMax = 32;
inline constexpr std::size_t kVariableValueMax = 2048;  // bytes

/// What a name must be, in words and as a question.
inline constexpr const char* kTemplateNameForm =
    "must be 1 to 100 lower-case letters, digits and underscores, starting with a letter, as in "
    "\"new_message\"";
[[nodiscard]] bool is_template_name(std::string_view name);

/// Reads the column; what it says is not checked yet, only that it has the form.
/// Errors: a violation for each value of a wrong type; of the whole, the field is "*".
[[nodiscard]] base::Expected<TemplateData, Violations> decode_template(std::string_view json);
[[nodiscard]] std::string encode_template(const TemplateData& data);

/// What a caller wants of a template.
struct TemplateUse {
  std::string_view name;
  std::string_view locale;  ///< empty: the default text
  Variables variables;      ///< by name
};

/// What is wrong with it whatever the template; `prefix` goes before each field: "template.".
[[nodiscard]] Violations check_template_use(const TemplateUse& use, const std::string& prefix);

/// A template's text with its variables filled in, cut to what platforms show.
struct RenderedText {
  std::string title;
  std::string body;
  std::string sound;
  std::string category;
  std::string locale;  ///< the tag it is stored under; empty: the default text

  friend bool operator==(const RenderedText&, const RenderedText&) = default;
};

/// `variables["x"]` for each name, after `prefix`.
[[nodiscard]] Violations missing_variables(const std::vector<std::string>& names,
                                           const std::string& prefix);

/// A template that can be used: all of its texts are parsed.
/// Threading: any; it does not change.
class Template {
 public:
  /// Errors: everything that is wrong, each with its field ("locales[\"fr\"].body") and its place.
  [[nodiscard]] static base::Expected<Template, Violations> compile(TemplateData data);

  [[nodiscard]] const TemplateData& data() const { return data_; }
  /// What must be given, sorted. A text in another language asks for no more than the default.
  [[nodiscard]] std::vector<std::string> required() const;
  /// What may be given besides: the default text's sections ask for it.
  [[nodiscard]] std::vector<std::string> optional() const;

  /// In `locale`, or the nearest there is: fr-CA, then fr, then the default text. A locale that is
  /// none is one that nothing is written in.
  /// Errors: the names of all that is required and missing, sorted. An empty value is missing.
  [[nodiscard]] base::Expected<RenderedText, std::vector<std::string>> render(
      std::string_view locale, const Variables& variables) const;

 private:
  struct Variant {
    std::string tag;  ///< as written
    MustacheText title;
    MustacheText body;
    std::string sound;
    std::string category;
  };
  class Compiler;

  Template() = default;
  [[nodiscard]] const Variant& variant_for(std::string_view locale) const;

  TemplateData data_;
  std::map<std::string, Variant, std::less<>> variants_;  ///< by normalized tag; "": the default
};

}  // namespace notify::rules
