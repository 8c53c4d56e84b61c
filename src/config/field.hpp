#pragma once
// One row of the field table: all that is known about one setting, its type erased.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/values.hpp"

namespace notify::config {

struct Field {
  std::string_view key;  ///< `section.name`
  Description description;
  std::string_view help;  ///< one sentence

  /// Errors: the flaw; `config` is then untouched.
  std::function<std::optional<Flaw>(const Raw& raw, Config& config)> parse;
  /// The value as YAML, secrets masked.
  std::function<std::string(const Config& config)> to_yaml;

  [[nodiscard]] std::string_view section() const { return key.substr(0, key.find('.')); }
  [[nodiscard]] std::string_view name() const { return key.substr(key.find('.') + 1); }
  /// `apns.key_file` is NOTIFY_APNS_KEY_FILE.
  [[nodiscard]] std::string environment_name() const;
};

/// All settings, in the order in which they are shown. Threading: any.
[[nodiscard]] std::span<const Field> fields();

/// nullptr if there is no such key.
[[nodiscard]] const Field* find_field(std::string_view key);

/// Of `names`, the one nearest to `name` by edit distance; empty if none is near.
[[nodiscard]] std::string nearest(std::string_view name, std::span<const std::string> names);

}  // namespace notify::config
