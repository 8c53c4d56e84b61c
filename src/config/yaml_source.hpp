#pragma once
// Reads a YAML file into a flat list of keys and raw values; knows nothing of what they mean
// beyond which keys are sections.

#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"
#include "config/types.hpp"
#include "config/values.hpp"

namespace notify::config {

struct Entry {
  std::string key;    ///< `section.name`
  std::string where;  ///< `file:line:column` of the key
  Raw raw;
};

struct YamlSource {
  std::vector<Entry> entries;
  Problems problems;
};

/// Errors:  problems: a file that cannot be read or is not YAML, keys twice, values of a wrong
/// kind. Limits:  1 MiB; nothing below a key that is no section is read, so an alias bomb stays
/// folded.
[[nodiscard]] YamlSource read_yaml_file(const FilePath& path);

/// `name` stands for the file in messages.
[[nodiscard]] YamlSource read_yaml(const std::string& text, std::string_view name);

}  // namespace notify::config
