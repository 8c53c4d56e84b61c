#include "rules/mustache.hpp"

#include <algorithm>
#include <charconv>
#include <kainjow/mustache.hpp>

#include "base/text.hpp"

namespace notify::rules {
namespace {

using Component = kainjow::mustache::component<std::string>;
using Tag = kainjow::mustache::tag_type;

bool begins_a_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string_view value_of(std::string_view name, const Variables& variables) {
  for (const auto& [candidate, value] : variables) {
    if (candidate == name) return value;
  }
  return {};
}

/// "at character 12": people count from 1, and in characters.
std::string place(std::string_view text, std::size_t offset) {
  // Tags begin at ASCII characters, so the text before one is whole.
  const std::size_t before = base::utf8_length(text.substr(0, offset)).value_or(offset);
  return "at character " + std::to_string(before + 1);
}

/// The library says what and, at the end, where: "Unclosed section "x" at 12".
std::string explain(std::string_view text, std::string_view message) {
  std::string_view what = "a tag that cannot be read";
  if (message.starts_with("Unclosed tag")) what = "a tag without its end \"}}\"";
  if (message.starts_with("Unclosed section")) what = "a section without its end \"{{/name}}\"";
  if (message.starts_with("Unopened section")) what = "the end of a section that has no beginning";
  if (message.starts_with("Invalid set delimiter")) what = "a change of the delimiters";
  std::size_t offset = 0;
  const std::string_view digits = message.substr(message.find_last_of(' ') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  return "has " + std::string(what) + " " + place(text, std::min(offset, text.size()));
}

}  // namespace

bool is_variable_name(std::string_view name) {
  constexpr std::size_t kNameMax = 64;
  return !name.empty() && name.size() <= kNameMax && begins_a_name(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return begins_a_name(c) || (c >= '0' && c <= '9'); });
}

/// From the library's tree to ours, and to everything that is wrong with it.
class MustacheText::Reader {
 public:
  Reader(std::string_view text, MustacheText& to) : text_(text), to_(to) {}

  std::vector<Node> read(const std::vector<Component>& components) {
    std::vector<Node> nodes;
    for (const Component& component : components) read(component, nodes);
    return nodes;
  }

  [[nodiscard]] Problems take() && { return std::move(problems_); }

 private:
  void read(const Component& component, std::vector<Node>& nodes) {
    switch (component.tag.type) {
      case Tag::text: read_text(component, nodes); break;
      case Tag::variable:
      case Tag::unescaped_variable: read_variable(component, nodes); break;
      case Tag::section_begin:
      case Tag::section_begin_inverted: read_section(component, nodes); break;
      case Tag::partial: add("a partial, which templates do not have,", component); break;
      case Tag::set_delimiter: add("a change of the delimiters", component); break;
      case Tag::comment: break;
      case Tag::section_end: break;  // each is with its beginning already
    }
  }

  void read_text(const Component& component, std::vector<Node>& nodes) {
    const std::size_t brace = component.text.find_first_of("{}");
    if (brace != std::string::npos) {
      problems_.push_back("has a brace that belongs to no tag " +
                          place(text_, component.position + brace) +
                          ": a variable is written {{name}}");
    }
    // The library makes a component of every blank.
    if (nodes.empty() || nodes.back().kind != Kind::text) nodes.push_back({});
    nodes.back().text += component.text;
  }

  void read_variable(const Component& component, std::vector<Node>& nodes) {
    const std::string& name = component.tag.name;
    if (!check_name(component)) return;
    const auto around = [&](Kind kind) {
      return std::find(sections_.begin(), sections_.end(), std::pair(kind, name)) !=
             sections_.end();
    };
    if (around(Kind::inverted)) {
      add("a variable inside the section for when it is absent", component);
    } else if (!around(Kind::section)) {
      to_.required_.insert(name);
      to_.optional_.erase(name);
    }
    nodes.push_back({Kind::variable, name, {}});
  }

  void read_section(const Component& component, std::vector<Node>& nodes) {
    const std::string& name = component.tag.name;
    if (!check_name(component)) return;
    if (sections_.size() >= static_cast<std::size_t>(kDepthMax)) {
      add("a section more than 8 deep", component);
      return;
    }
    const Kind kind = component.tag.type == Tag::section_begin ? Kind::section : Kind::inverted;
    if (!to_.required_.contains(name)) to_.optional_.insert(name);
    sections_.emplace_back(kind, name);
    nodes.push_back({kind, name, read(component.children)});
    sections_.pop_back();
  }

  bool check_name(const Component& component) {
    if (is_variable_name(component.tag.name)) return true;
    problems_.push_back("has a name that is none " + place(text_, component.position) +
                        ": 1 to 64 letters, digits and underscores, not starting with a digit");
    return false;
  }

  void add(const std::string& what, const Component& component) {
    problems_.push_back("has " + what + " " + place(text_, component.position));
  }

  std::string_view text_;
  MustacheText& to_;
  std::vector<std::pair<Kind, std::string>> sections_;  ///< around what is being read
  Problems problems_;
};

base::Expected<MustacheText, MustacheText::Problems> MustacheText::parse(std::string_view text) {
  kainjow::mustache::context<std::string> nothing;
  kainjow::mustache::context_internal<std::string> context(nothing);
  Component root;
  std::string message;
  const kainjow::mustache::parser<std::string> parser(std::string(text), context, root, message);
  if (!message.empty()) {
    return base::Unexpected<Problems>(Problems{explain(text, message)});
  }
  MustacheText parsed;
  Reader reader(text, parsed);
  parsed.nodes_ = reader.read(root.children);
  Problems problems = std::move(reader).take();
  if (!problems.empty()) return base::Unexpected<Problems>(std::move(problems));
  return parsed;
}

std::string MustacheText::render(const Variables& variables) const {
  std::string out;
  render(nodes_, variables, out);
  return out;
}

void MustacheText::render(const std::vector<Node>& nodes, const Variables& variables,
                          std::string& out) {
  for (const Node& node : nodes) {
    if (node.kind == Kind::text) {
      out += node.text;
      continue;
    }
    const std::string_view value = value_of(node.text, variables);
    if (node.kind == Kind::variable) {
      out += value;
    } else if (value.empty() == (node.kind == Kind::inverted)) {
      render(node.children, variables, out);
    }
  }
}

}  // namespace notify::rules
