#include "config/load.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <array>

#include "config/field.hpp"
#include "config/yaml_source.hpp"

namespace notify::config {
namespace {

constexpr std::string_view kPrefix = "NOTIFY_";

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
  const std::string near = nearest(name, names);
  if (near.empty()) return "all names are in docs/CONFIGURATION.md";
  return fmt::format("did you mean '{}'?", near);
}

std::vector<std::string> all_keys() {
  std::vector<std::string> keys;
  for (const Field& field : fields()) {
    if (keys.empty() || !std::string_view(keys.back()).starts_with(field.section())) {
      keys.emplace_back(field.section());
    }
    keys.emplace_back(field.key);
  }
  return keys;
}

std::vector<std::string> all_environment_names(const std::vector<std::string>& others) {
  std::vector<std::string> names = others;
  for (const Field& field : fields()) names.push_back(field.environment_name());
  return names;
}

/// Puts one raw value into its place, or tells what is wrong with it.
void apply(const Field& field, const Raw& raw, const std::string& where, Config& config,
           Problems& problems) {
  if (auto flaw = field.parse(raw, config)) {
    problems.push_back(
        {where, fmt::format("{}: {}", field.key, flaw->what), std::move(flaw->hint)});
    return;
  }
  config.origins[std::string(field.key)] = where;
}

void apply_file(const FilePath& path, Config& config, Problems& problems) {
  YamlSource source = read_yaml_file(path);
  std::move(source.problems.begin(), source.problems.end(), std::back_inserter(problems));
  for (const Entry& entry : source.entries) {
    const Field* field = find_field(entry.key);
    if (field != nullptr) {
      apply(*field, entry.raw, entry.where, config, problems);
    } else {
      problems.push_back({entry.where, fmt::format("there is no setting '{}'", entry.key),
                          did_you_mean(entry.key, all_keys())});
    }
  }
}

void apply_environment(const LoadOptions& options, Config& config, Problems& problems) {
  for (const Field& field : fields()) {
    const std::string name = field.environment_name();
    const auto found = options.environment.find(name);
    if (found == options.environment.end()) continue;
    apply(field, Raw{found->second, {}, false}, "env " + name, config, problems);
  }
  const std::vector<std::string> known = all_environment_names(options.other_names);
  for (const auto& [name, value] : options.environment) {
    if (!name.starts_with(kPrefix)) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    problems.push_back({"env " + name, "there is no such setting", did_you_mean(name, known)});
  }
}

std::string name_of_host() {
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0) return "localhost";
  return buffer.data();
}

}  // namespace

std::string to_string(const Problem& problem) {
  const std::string text = fmt::format("{}: {}", problem.where, problem.what);
  return problem.hint.empty() ? text : fmt::format("{} ({})", text, problem.hint);
}

base::Expected<Config, Problems> load(const LoadOptions& options) {
  Config config;
  Problems problems;
  if (options.file) apply_file(*options.file, config, problems);
  apply_environment(options, config, problems);
  if (!problems.empty()) return base::Unexpected<Problems>(std::move(problems));
  if (config.service.node_name.empty()) {
    config.service.node_name = options.host_name.empty() ? name_of_host() : options.host_name;
  }
  return config;
}

}  // namespace notify::config
