#include <fmt/format.h>

#include "config/field.hpp"
#include "config/show.hpp"

namespace notify::config {
namespace {

std::string as_code(const std::string& text) {
  return text.empty() || text == "\"\"" ? "–" : fmt::format("`{}`", text);
}

std::string table_row(const Field& field, const Config& defaults) {
  std::string type = field.description.type;
  if (!field.description.allowed.empty()) type += ": " + field.description.allowed;
  return fmt::format("| `{}` | {} | {} | {} |\n", field.key, type, as_code(field.to_yaml(defaults)),
                     field.help);
}

}  // namespace

std::string reference_markdown() {
  const Config defaults;
  std::string text;
  std::string_view section;
  for (const Field& field : fields()) {
    if (field.section() != section) {
      section = field.section();
      text += fmt::format(
          "\n## {}\n\n| key | type and range | default | meaning |\n|---|---|---|---|\n", section);
    }
    text += table_row(field, defaults);
  }
  return text;
}

}  // namespace notify::config
