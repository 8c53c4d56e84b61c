#include "config/show.hpp"

#include <fmt/format.h>

#include "config/field.hpp"

namespace notify::config {

std::string show(const Config& config) {
  std::string text;
  std::string_view section;
  for (const Field& field : fields()) {
    if (field.section() != section) {
      section = field.section();
      text += fmt::format("{}:\n", section);
    }
    const std::string line = fmt::format("  {}: {}", field.name(), field.to_yaml(config));
    text += fmt::format("{:<50}  # {}\n", line, config.origin_of(field.key));
  }
  return text;
}

}  // namespace notify::config
