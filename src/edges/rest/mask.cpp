#include "edges/rest/mask.hpp"

namespace notify::edges::rest {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::json;

bool is_entries(const FieldDescriptor& field, const Json& value) {
  return field.is_map() && value.is_object() && !value.empty();
}

bool is_leaf(const FieldDescriptor& field, const Json& value) {
  return field.is_repeated() || field.message_type() == nullptr || !value.is_object() ||
         value.empty() || field.message_type()->full_name().starts_with("google.protobuf.");
}

void add(const Descriptor& type, const Json& body, const std::string& prefix,
         std::vector<std::string>& paths) {
  for (const auto& [name, value] : body.items()) {
    const FieldDescriptor* field = find_field(type, name);
    if (field == nullptr) continue;
    const std::string path = prefix + field->name();
    if (is_entries(*field, value)) {
      for (const auto& entry : value.items()) paths.push_back(path + "." + entry.key());
    } else if (is_leaf(*field, value)) {
      paths.push_back(path);
    } else {
      add(*field->message_type(), value, path + ".", paths);
    }
  }
}

}  // namespace

const FieldDescriptor* find_field(const Descriptor& type, std::string_view name) {
  const std::string text(name);
  const FieldDescriptor* field = type.FindFieldByName(text);
  return field != nullptr ? field : type.FindFieldByCamelcaseName(text);
}

std::vector<std::string> mask_of(const Descriptor& type, const Json& body) {
  std::vector<std::string> paths;
  add(type, body, "", paths);
  return paths;
}

}  // namespace notify::edges::rest
