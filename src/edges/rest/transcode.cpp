#include "edges/rest/transcode.hpp"

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/util/json_util.h>

#include <charconv>
#include <set>

#include "base/strict_json.hpp"
#include "edges/rest/mask.hpp"

namespace notify::edges::rest {
namespace {

using base::Errc;
using flows::refuse;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::json;

constexpr int kDepthMax = 32;
constexpr const char* kRevisionField = "revision";

bool is_written_as_text(const Descriptor& type) {
  const std::string& name = type.full_name();
  return name == "google.protobuf.Timestamp" || name == "google.protobuf.Duration" ||
         name == "google.protobuf.FieldMask" || name.ends_with("Value") ||
         name == "google.protobuf.StringValue";
}

/// Puts one parameter, as "page_size" or "filter.type", where its field is. Returns what is wrong.
std::optional<std::string> put(const Descriptor& type, std::string_view name,
                               const std::string& value, Json& into) {
  const std::size_t dot = std::min(name.find('.'), name.size());
  const FieldDescriptor* field = find_field(type, name.substr(0, dot));
  if (field == nullptr || field->is_map()) return "there is no such parameter";
  Json& place = into[field->name()];
  if (dot < name.size()) {
    const bool can_hold = field->message_type() != nullptr && !field->is_repeated() &&
                          !is_written_as_text(*field->message_type());
    if (!can_hold) return "there is no such parameter";
    if (place.is_null()) place = Json::object();
    return put(*field->message_type(), name.substr(dot + 1), value, place);
  }
  if (field->message_type() != nullptr && !is_written_as_text(*field->message_type())) {
    return "there is no such parameter";
  }
  if (field->type() == FieldDescriptor::TYPE_BOOL && value != "true" && value != "false") {
    return "must be true or false";
  }
  if (field->is_repeated()) {
    place.push_back(value);
    return std::nullopt;
  }
  if (!place.is_null()) return "is given more than once";
  place = value;
  return std::nullopt;
}

/// Takes a field out of an object, whichever way its name is written.
void erase_field(const FieldDescriptor& field, Json& object) {
  object.erase(field.name());
  object.erase(field.json_name());
}

bool has_field(const FieldDescriptor& field, const Json& object) {
  return object.contains(field.name()) || object.contains(field.json_name());
}

/// The request as one JSON object, so that protobuf's parser judges all of its values alike.
flows::Answer<Json> gather(const Route& route, const RequestParts& parts) {
  Json root = Json::object();
  if (parts.body.empty()) {
    if (route.body == BodyIs::field) {
      return refuse(rules::Violations{{"body", "is required: a JSON object"}});
    }
  } else {
    auto body = base::parse_strict_json(parts.body, kDepthMax);
    if (!body) return refuse(rules::Violations{{"body", body.error().detail}});
    if (!body->is_object()) return refuse(rules::Violations{{"body", "must be a JSON object"}});
    if (route.body == BodyIs::whole) root = std::move(*body);
    if (route.body == BodyIs::field) root[route.body_field->name()] = std::move(*body);
  }
  rules::Violations violations;
  Json query = Json::object();
  for (const auto& [name, value] : parts.query) {
    auto flaw = route.body == BodyIs::whole
                    ? std::optional<std::string>("there is no such parameter")
                    : put(route.request(), name, value, query);
    const FieldDescriptor* top = find_field(route.request(), name.substr(0, name.find('.')));
    const bool is_elsewhere =
        top != nullptr && (top == route.body_field || parts.variables.contains(top->name()));
    if (is_elsewhere) flaw = "is not a parameter of the query here";
    if (flaw) violations.push_back({name, std::move(*flaw)});
  }
  if (!violations.empty()) return refuse(std::move(violations));
  root.update(query);
  for (const auto& [name, value] : parts.variables) {
    erase_field(*route.request().FindFieldByName(name), root);
    root[name] = value;
  }
  return root;
}

/// Applies the rule of docs/adr/0019-null-and-absent.md to every field. A null is taken out: its
/// field is not set. Values are left to protobuf's parser.
class Fields {
 public:
  [[nodiscard]] rules::Violations settle(const Descriptor& type, Json& object) && {
    settle(type, "", object);
    return std::move(violations_);
  }

 private:
  void settle(const Descriptor& type, const std::string& prefix, Json& object) {
    if (!object.is_object() || has_json_of_its_own(type)) return;
    std::set<const FieldDescriptor*> seen;
    for (auto entry = object.begin(); entry != object.end();) {
      const FieldDescriptor* field = find_field(type, entry.key());
      if (field == nullptr) {
        violations_.push_back({name_of(prefix + entry.key()), "there is no such field"});
      } else if (!seen.insert(field).second) {
        violations_.push_back({prefix + field->name(), "is given twice, by both of its names"});
      } else if (is_unset(field->message_type(), *entry)) {
        entry = object.erase(entry);
        continue;
      } else {
        settle_value(*field, prefix + field->name(), *entry);
      }
      ++entry;
    }
  }

  void settle_value(const FieldDescriptor& field, const std::string& path, Json& value) {
    const Descriptor* type = field.message_type();
    if (field.is_map()) {
      settle_map(*type->map_value(), path, value);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      settle_flag(path, value);
    } else if (field.is_repeated()) {
      if (value.is_array()) settle_elements(type, path, value);
    } else if (type != nullptr) {
      settle(*type, path + ".", value);
    }
  }

  /// protobuf's parser also takes "no", "f", 0 and the like. A query has texts only.
  void settle_flag(const std::string& path, const Json& value) {
    const bool is_flag = value.is_boolean() || value == "true" || value == "false";
    if (!is_flag) violations_.push_back({path, "must be true or false"});
  }

  void settle_map(const FieldDescriptor& of, const std::string& path, Json& map) {
    if (!map.is_object()) return;
    for (auto entry = map.begin(); entry != map.end();) {
      if (is_unset(of.message_type(), *entry)) {
        entry = map.erase(entry);
        continue;
      }
      settle_value(of, name_of(path + "." + entry.key()), *entry);
      ++entry;
    }
  }

  void settle_elements(const Descriptor* type, const std::string& path, Json& elements) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const std::string element = path + "[" + std::to_string(i) + "]";
      if (is_unset(type, elements[i])) {
        violations_.push_back({element, "must not be null"});
      } else if (type != nullptr) {
        settle(*type, element + ".", elements[i]);
      }
    }
  }

  /// In a google.protobuf.Value null is a value.
  static bool is_unset(const Descriptor* type, const Json& value) {
    return value.is_null() && (type == nullptr || type->full_name() != "google.protobuf.Value");
  }
  static bool has_json_of_its_own(const Descriptor& type) {
    return type.full_name().starts_with("google.protobuf.");
  }
  /// The name comes from the caller and can be long.
  static std::string name_of(std::string path) {
    constexpr std::size_t kNameMax = 100;
    return path.size() > kNameMax ? "*" : std::move(path);
  }

  rules::Violations violations_;
};

/// protobuf's messages look like "(settings.preview): invalid value "x" for type T". What the
/// caller sent is not repeated: it can be long.
rules::Violation to_violation(std::string_view message) {
  std::string field;
  if (message.starts_with('(')) {
    const std::size_t end = std::min(message.find(')'), message.size() - 1);
    field = message.substr(1, end - 1);
    message.remove_prefix(end + 1);
    while (message.starts_with(' ')) message.remove_prefix(1);
  }
  const std::size_t colon = std::min(message.find(": "), message.size());
  if (colon > 0) field += (field.empty() ? "" : ".") + std::string(message.substr(0, colon));
  constexpr std::size_t kNameMax = 100;
  if (field.size() > kNameMax || field.empty() || colon == message.size()) field = "*";
  return {field, "has a value that its type does not allow"};
}

/// Calls `look` with every set `user_id` of the message and of those in it, until it returns false.
template <class Look>
bool all_users(const Message& message, const Look& look) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->name() == kUserField && field->type() == FieldDescriptor::TYPE_STRING &&
        !field->is_repeated() && !look(reflection->GetString(message, field))) {
      return false;
    }
    if (field->message_type() == nullptr) continue;
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& inner = field->is_repeated()
                                 ? reflection->GetRepeatedMessage(message, field, i)
                                 : reflection->GetMessage(message, field);
      if (!all_users(inner, look)) return false;
    }
  }
  return true;
}

/// The revision that an If-Match names. nullopt if it is not an ETag of ours.
std::optional<std::int32_t> revision_of(std::string_view if_match) {
  if (if_match.size() < 3 || !if_match.starts_with('"') || !if_match.ends_with('"')) {
    return std::nullopt;
  }
  const std::string_view digits = if_match.substr(1, if_match.size() - 2);
  std::int32_t revision = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), revision);
  const bool good = error == std::errc() && end == digits.data() + digits.size() && revision > 0;
  return good ? std::optional(revision) : std::nullopt;
}

const FieldDescriptor* revision_field(const Descriptor& type) {
  const FieldDescriptor* field = type.FindFieldByName(kRevisionField);
  const bool fits = field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 &&
                    !field->is_repeated();
  return fits ? field : nullptr;
}

/// Puts the revision that the caller has read into the request. Returns what is wrong.
std::optional<rules::Violation> apply_if_match(const Route& route, std::string_view if_match,
                                               Message& request) {
  if (if_match == "*") return std::nullopt;  // any: there always is one
  // In the settings, or beside them.
  Message* holder = &request;
  if (route.body == BodyIs::field && revision_field(*route.body_field->message_type()) != nullptr) {
    holder = request.GetReflection()->MutableMessage(&request, route.body_field);
  }
  const FieldDescriptor* field = revision_field(*holder->GetDescriptor());
  if (field == nullptr) return rules::Violation{"If-Match", "cannot be compared here"};
  const auto revision = revision_of(if_match);
  if (!revision) return rules::Violation{"If-Match", "must be the ETag of an earlier answer"};
  holder->GetReflection()->SetInt32(holder, field, *revision);
  return std::nullopt;
}

/// Names what the body has, nulls too. Empty if the caller has given a mask, or there is none.
std::vector<std::string> derive_mask(const Route& route, const RequestParts& parts,
                                     const Json& root) {
  std::vector<std::string> paths;
  if (route.mask_field == nullptr || has_field(*route.mask_field, root)) return paths;
  paths = mask_of(*route.body_field->message_type(), root.at(route.body_field->name()));
  std::erase_if(paths, [&parts](const std::string& path) {
    return path == kUserField || path == kRevisionField || path == "updated_at" ||
           parts.variables.contains(path);
  });
  return paths;
}

void set_mask(const Route& route, std::vector<std::string> paths, Message& request) {
  if (paths.empty()) return;
  auto& mask = static_cast<google::protobuf::FieldMask&>(
      *request.GetReflection()->MutableMessage(&request, route.mask_field));
  for (std::string& path : paths) mask.add_paths(std::move(path));
}

}  // namespace

flows::Answer<std::unique_ptr<Message>> to_request(const Route& route, const RequestParts& parts) {
  auto root = gather(route, parts);
  if (!root) return base::Unexpected<flows::Refusal>(root.error());
  std::vector<std::string> mask = derive_mask(route, parts, *root);
  if (auto violations = Fields().settle(route.request(), *root); !violations.empty()) {
    return refuse(std::move(violations));
  }
  std::unique_ptr<Message> request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&route.request())->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(root->dump(), request.get());
  if (!parsed.ok()) {
    return refuse(rules::Violations{to_violation(std::string(parsed.message()))});
  }
  if (!is_only_about(*request, parts.user)) {
    return refuse({Errc::permission_denied, "the request names another user"});
  }
  if (const FieldDescriptor* user = route.request().FindFieldByName(kUserField)) {
    request->GetReflection()->SetString(request.get(), user, parts.user.to_string());
  }
  set_mask(route, std::move(mask), *request);
  if (parts.if_match) {
    if (auto flaw = apply_if_match(route, *parts.if_match, *request)) {
      return refuse(rules::Violations{std::move(*flaw)});
    }
  }
  return request;
}

bool is_only_about(const Message& message, base::UserId user) {
  return all_users(message,
                   [user](const std::string& id) { return base::UserId::parse(id) == user; });
}

std::optional<std::string> to_json(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto written = google::protobuf::util::MessageToJsonString(message, &json, options);
  return written.ok() ? std::optional(std::move(json)) : std::nullopt;
}

std::optional<std::string> etag_of(const Message& message) {
  const FieldDescriptor* field = revision_field(*message.GetDescriptor());
  if (field == nullptr) return std::nullopt;
  const std::int32_t revision = message.GetReflection()->GetInt32(message, field);
  return revision > 0 ? std::optional('"' + std::to_string(revision) + '"') : std::nullopt;
}

}  // namespace notify::edges::rest
