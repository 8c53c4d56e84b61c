#include "config/yaml_source.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "config/field.hpp"

namespace notify::config {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;

bool is_section(std::string_view key) {
  const std::span<const Field> all = fields();
  return std::any_of(all.begin(), all.end(),
                     [key](const Field& field) { return field.section() == key; });
}

class Reader {
 public:
  explicit Reader(std::string_view name) : name_(name) {}

  void read_map(const YAML::Node& map, const std::string& prefix) {
    for (const auto& pair : map) {
      if (!pair.first.IsScalar()) {
        add(pair.first, "a key must be a text", "");
        continue;
      }
      read_pair(pair.first, pair.second, prefix + pair.first.Scalar());
    }
  }

  void add(const YAML::Node& node, std::string what, std::string hint) {
    source.problems.push_back({place(node.Mark()), std::move(what), std::move(hint)});
  }

  std::string place(const YAML::Mark& mark) const {
    if (mark.is_null()) return name_;
    return fmt::format("{}:{}:{}", name_, mark.line + 1, mark.column + 1);
  }

  YamlSource source;

 private:
  void read_pair(const YAML::Node& key, const YAML::Node& value, const std::string& path) {
    const std::string where = place(key.Mark());
    const auto [first, is_new] = seen_.emplace(path, where);
    if (!is_new) {
      add(key, fmt::format("'{}' stands here a second time", path),
          fmt::format("the first is at {}", first->second));
      return;
    }
    if (is_section(path)) return read_section(key, value, path);
    Entry entry{path, where, {}};
    // Of a key that nobody knows the value does not matter; load() reports the key.
    if (find_field(path) != nullptr && !read_value(key, value, path, entry.raw)) return;
    source.entries.push_back(std::move(entry));
  }

  void read_section(const YAML::Node& key, const YAML::Node& value, const std::string& path) {
    if (value.IsNull()) return;  // all of its lines are commented out
    if (value.IsMap()) return read_map(value, path + ".");
    add(key, fmt::format("'{}' is a section, not a value", path),
        "put its keys below it, indented");
  }

  bool read_value(const YAML::Node& key, const YAML::Node& value, const std::string& path,
                  Raw& raw) {
    if (value.IsScalar()) {
      raw.text = value.Scalar();
      return true;
    }
    if (value.IsSequence()) {
      raw.is_list = true;
      const auto is_scalar = [](const YAML::Node& item) { return item.IsScalar(); };
      if (std::all_of(value.begin(), value.end(), is_scalar)) {
        for (const auto& item : value) raw.items.push_back(item.Scalar());
        return true;
      }
    }
    if (value.IsNull()) {
      add(key, fmt::format("'{}' has no value", path), "give it one, or remove the line");
    } else {
      add(key, fmt::format("'{}' takes a value, not a structure", path), "");
    }
    return false;
  }

  std::string name_;
  std::map<std::string, std::string> seen_;
};

}  // namespace

YamlSource read_yaml(const std::string& text, std::string_view name) {
  Reader reader(name);
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      reader.add(documents[1], "a second YAML document", "keep one document in the file");
    } else if (documents.size() == 1 && documents[0].IsMap()) {
      reader.read_map(documents[0], "");
    } else if (documents.size() == 1 && !documents[0].IsNull()) {
      reader.add(documents[0], "the file is not a map of sections",
                 "begin with 'grpc:' or the like");
    }
  } catch (const YAML::Exception& error) {
    reader.source.problems.push_back(
        {reader.place(error.mark), "is not YAML: " + error.msg, "check indentation and quotes"});
  }
  return std::move(reader.source);
}

YamlSource read_yaml_file(const FilePath& path) {
  const auto failed = [&](std::string what, std::string hint) {
    return YamlSource{{}, {{path.string(), std::move(what), std::move(hint)}}};
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return failed("is a folder, not a file", "");
  std::ifstream file(path, std::ios::binary);
  if (!file) return failed("cannot be read", "check that it exists and who may read it");
  std::string text(kLargestFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLargestFile) return failed("is larger than 1 MiB", "is it the right file?");
  return read_yaml(text, path.string());
}

}  // namespace notify::config
