#pragma once
// Messages as JSON Schemas in the way of OpenAPI 3.0, for protobuf's JSON form.

#include <google/protobuf/descriptor.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "edges/rest/comments.hpp"

namespace notify::edges::rest {

using OrderedJson = nlohmann::ordered_json;

/// Threading: none of its own. Lifetime: `comments` outlives this.
class Schemas {
 public:
  explicit Schemas(const Comments& comments) : comments_(comments) {}

  /// What a field holds. A message is a reference, whose schema is then in components().
  [[nodiscard]] OrderedJson of(const google::protobuf::FieldDescriptor& field);
  [[nodiscard]] OrderedJson of(const google::protobuf::Descriptor& message);
  /// A message as it stands, without the fields for which `leaves_out` is true.
  [[nodiscard]] OrderedJson inlined(
      const google::protobuf::Descriptor& message,
      const std::function<bool(const google::protobuf::FieldDescriptor&)>& leaves_out);

  /// All schemas that were referred to, by name.
  [[nodiscard]] const OrderedJson& components() const { return components_; }

 private:
  [[nodiscard]] OrderedJson single(const google::protobuf::FieldDescriptor& field);
  [[nodiscard]] OrderedJson reference(const google::protobuf::EnumDescriptor& type);

  const Comments& comments_;
  OrderedJson components_ = OrderedJson::object();
};

}  // namespace notify::edges::rest
