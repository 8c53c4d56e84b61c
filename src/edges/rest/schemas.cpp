#include "edges/rest/schemas.hpp"

#include <optional>

namespace notify::edges::rest {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

OrderedJson typed(const char* type) { return {{"type", type}}; }
OrderedJson typed(const char* type, const char* format) {
  return {{"type", type}, {"format", format}};
}

OrderedJson reference_to(const std::string& name) {
  return {{"$ref", "#/components/schemas/" + name}};
}

/// google.protobuf types have a JSON form of their own.
std::optional<OrderedJson> well_known(const std::string& name) {
  if (name == "google.protobuf.Timestamp") return typed("string", "date-time");
  if (name == "google.protobuf.Duration" || name == "google.protobuf.FieldMask") {
    return typed("string");
  }
  if (name == "google.protobuf.Struct" || name == "google.protobuf.Any") return typed("object");
  if (name == "google.protobuf.Value") return OrderedJson::object();
  if (name == "google.protobuf.ListValue") {
    return OrderedJson{{"type", "array"}, {"items", OrderedJson::object()}};
  }
  return std::nullopt;
}

/// In OpenAPI 3.0 what stands beside a $ref is not looked at.
OrderedJson described(OrderedJson schema, const std::string& description) {
  if (description.empty()) return schema;
  if (schema.contains("$ref")) {
    schema = OrderedJson{{"allOf", OrderedJson::array({std::move(schema)})}};
  }
  schema["description"] = description;
  return schema;
}

}  // namespace

OrderedJson Schemas::of(const FieldDescriptor& field) {
  OrderedJson schema;
  if (field.is_map()) {
    schema = typed("object");
    schema["additionalProperties"] = single(*field.message_type()->map_value());
  } else if (field.is_repeated()) {
    schema = typed("array");
    schema["items"] = single(field);
  } else {
    schema = single(field);
  }
  return described(std::move(schema), comments_.of(field));
}

OrderedJson Schemas::single(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_BOOL: return typed("boolean");
    case FieldDescriptor::TYPE_STRING: return typed("string");
    case FieldDescriptor::TYPE_BYTES: return typed("string", "byte");
    case FieldDescriptor::TYPE_FLOAT: return typed("number", "float");
    case FieldDescriptor::TYPE_DOUBLE: return typed("number", "double");
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SFIXED32: return typed("integer", "int32");
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_FIXED32: return {{"type", "integer"}, {"minimum", 0}};
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_SINT64:
    case FieldDescriptor::TYPE_SFIXED64: return typed("string", "int64");
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_FIXED64: return typed("string", "uint64");
    case FieldDescriptor::TYPE_ENUM: return reference(*field.enum_type());
    case FieldDescriptor::TYPE_MESSAGE:
    case FieldDescriptor::TYPE_GROUP: return of(*field.message_type());
  }
  return OrderedJson::object();
}

OrderedJson Schemas::reference(const EnumDescriptor& type) {
  const std::string& name = type.full_name();
  if (!components_.contains(name)) {
    OrderedJson values = OrderedJson::array();
    for (int i = 0; i < type.value_count(); ++i) values.push_back(type.value(i)->name());
    OrderedJson schema = typed("string");
    schema["enum"] = std::move(values);
    components_[name] = described(std::move(schema), comments_.of(type));
  }
  return reference_to(name);
}

OrderedJson Schemas::of(const Descriptor& message) {
  if (auto known = well_known(message.full_name())) return std::move(*known);
  const std::string& name = message.full_name();
  if (!components_.contains(name)) {
    components_[name] = OrderedJson::object();  // a message may hold one of its own type
    OrderedJson schema = inlined(message, [](const FieldDescriptor&) { return false; });
    components_[name] = described(std::move(schema), comments_.of(message));
  }
  return reference_to(name);
}

OrderedJson Schemas::inlined(const Descriptor& message,
                             const std::function<bool(const FieldDescriptor&)>& leaves_out) {
  OrderedJson properties = OrderedJson::object();
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (!leaves_out(field)) properties[field.name()] = of(field);
  }
  OrderedJson schema = typed("object");
  schema["properties"] = std::move(properties);
  return schema;
}

}  // namespace notify::edges::rest
