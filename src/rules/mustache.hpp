#pragma once
// Text with {{variable}} places: parsed and checked once, when it is saved, and filled in often.
// The library that reads Mustache stays behind this header.
//
// Of Mustache (https://mustache.github.io/mustache.5.html) there are variables, sections over a
// variable ({{#name}}..{{/name}}, and {{^name}}..{{/name}} for when it is absent) and comments.
// Nothing is escaped for HTML. What a notification has no use for is refused: partials, other
// delimiters, dotted names, and braces in the text around the tags, which are always a slip. Unlike
// in Mustache, the line on which a section tag stands alone stays.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/expected.hpp"

namespace notify::rules {

/// Names and values. A name with an empty value counts as absent.
using Variables = std::vector<std::pair<std::string_view, std::string_view>>;

/// 1 to 64 letters, digits and underscores, not starting with a digit.
[[nodiscard]] bool is_variable_name(std::string_view name);

class MustacheText {
 public:
  /// What is wrong and where, as in "has an unclosed tag at character 12". Never quotes the text.
  using Problems = std::vector<std::string>;

  /// `text` is valid UTF-8.
  /// Limits: sections lie at most kDepthMax deep.
  [[nodiscard]] static base::Expected<MustacheText, Problems> parse(std::string_view text);
  static constexpr int kDepthMax = 8;

  /// What must not be absent: every variable that is shown, also inside a section that is left out.
  /// A variable that is shown only inside its own section may be absent, so it is not among them.
  [[nodiscard]] const std::set<std::string, std::less<>>& required() const { return required_; }
  /// What sections ask for, and nobody requires.
  [[nodiscard]] const std::set<std::string, std::less<>>& optional() const { return optional_; }

  /// Values come in as they are, whatever they look like; what is absent leaves nothing behind.
  [[nodiscard]] std::string render(const Variables& variables) const;

 private:
  enum class Kind : std::uint8_t { text, variable, section, inverted };
  struct Node {
    Kind kind = Kind::text;
    std::string text;  ///< or the name
    std::vector<Node> children;
  };
  class Reader;

  static void render(const std::vector<Node>& nodes, const Variables& variables, std::string& out);

  std::vector<Node> nodes_;
  std::set<std::string, std::less<>> required_;
  std::set<std::string, std::less<>> optional_;
};

}  // namespace notify::rules
