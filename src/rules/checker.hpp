#pragma once
// What every check of a caller's texts has in common, and the list of what they find.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "rules/violation.hpp"

namespace notify::rules {

/// Collects what is wrong; each check adds at most one violation for its field.
class Checker {
 public:
  enum class Lines { refused, allowed };

  void add(std::string field, std::string description) {
    violations_.push_back({std::move(field), std::move(description)});
  }
  [[nodiscard]] bool ok() const { return violations_.empty(); }
  [[nodiscard]] Violations take() && { return std::move(violations_); }

  template <class Id>
  std::optional<Id> id(const char* field, std::string_view text) {
    const std::optional<Id> id = Id::parse(text);
    if (!id) add(field, "must be a UUID in its canonical form, 8-4-4-4-12 hexadecimal digits");
    return id;
  }

  /// Valid UTF-8 without control characters; true if it is fit to be looked at further.
  bool readable(const std::string& field, std::string_view text, Lines lines) {
    if (!base::utf8_length(text)) {
      add(field, "must be valid UTF-8");
      return false;
    }
    std::optional<std::size_t> control = base::find_control_character(text);
    if (!control && lines == Lines::refused) {
      const std::size_t line = text.find_first_of("\n\t");
      if (line != std::string_view::npos) control = line;
    }
    if (control) {
      add(field,
          "must not hold control characters; there is one at byte " + std::to_string(*control));
      return false;
    }
    return true;
  }

  /// The same, of so many bytes at most.
  bool text(const std::string& field, std::string_view text, std::size_t bytes_max, Lines lines) {
    if (text.size() <= bytes_max) return readable(field, text, lines);
    add(field, too_long(text.size(), bytes_max));
    return false;
  }
  bool short_text(const std::string& field, std::string_view text, std::size_t bytes_max) {
    return this->text(field, text, bytes_max, Lines::refused);
  }

  static std::string too_long(std::size_t bytes, std::size_t bytes_max) {
    return "is " + std::to_string(bytes) + " bytes long; at most " + std::to_string(bytes_max) +
           " are allowed";
  }

 private:
  Violations violations_;
};

}  // namespace notify::rules
