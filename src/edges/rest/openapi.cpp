#include "edges/rest/openapi.hpp"

#include <algorithm>
#include <map>

#include "edges/rest/comments.hpp"
#include "edges/rest/schemas.hpp"

namespace notify::edges::rest {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// Whether a field is given in the path, by the token, or in the body, and so is no parameter.
bool is_given_elsewhere(const Resource& resource, const Route& route,
                        const FieldDescriptor& field) {
  const bool in_path = std::any_of(
      resource.path.begin(), resource.path.end(),
      [&](const Segment& segment) { return segment.is_field && segment.text == field.name(); });
  return in_path || field.name() == kUserField || &field == route.body_field;
}

void add_query_parameters(const Descriptor& type, const std::string& prefix, Schemas& schemas,
                          const std::function<bool(const FieldDescriptor&)>& leaves_out,
                          OrderedJson& parameters) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (leaves_out(field) || field.is_map()) continue;
    OrderedJson schema = schemas.of(field);
    const Descriptor* inner = field.message_type();
    const bool is_nested = inner != nullptr && !inner->full_name().starts_with("google.protobuf.");
    if (is_nested) {
      // Deeper than this no request of ours goes; a message that holds itself would have no end.
      const bool has_room = std::count(prefix.begin(), prefix.end(), '.') < 3;
      if (!field.is_repeated() && has_room) {
        add_query_parameters(*inner, prefix + field.name() + ".", schemas, leaves_out, parameters);
      }
      continue;
    }
    OrderedJson parameter = {{"name", prefix + field.name()}, {"in", "query"}};
    if (schema.contains("description")) {
      parameter["description"] = schema["description"];
      schema.erase("description");
    }
    parameter["schema"] = std::move(schema);
    parameters.push_back(std::move(parameter));
  }
}

OrderedJson parameters_of(const Resource& resource, const Route& route, Schemas& schemas) {
  OrderedJson parameters = OrderedJson::array();
  for (const Segment& segment : resource.path) {
    if (!segment.is_field) continue;
    parameters.push_back({{"name", segment.text},
                          {"in", "path"},
                          {"required", true},
                          {"schema", schemas.of(*route.request().FindFieldByName(segment.text))}});
  }
  if (route.body != BodyIs::whole) {
    const auto leaves_out = [&](const FieldDescriptor& field) {
      return is_given_elsewhere(resource, route, field);
    };
    add_query_parameters(route.request(), "", schemas, leaves_out, parameters);
  }
  const bool has_revision =
      route.body == BodyIs::field &&
      route.body_field->message_type()->FindFieldByName("revision") != nullptr;
  if (has_revision) {
    parameters.push_back(
        {{"name", "If-Match"},
         {"in", "header"},
         {"description", "The ETag of the answer that is changed: if it has changed since, 409."},
         {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

OrderedJson json_content(OrderedJson schema) {
  return {{"application/json", {{"schema", std::move(schema)}}}};
}

/// What reply.cpp adds to answers.
OrderedJson header_components() {
  const auto header = [](std::string_view description) {
    return OrderedJson{{"description", description}, {"schema", {{"type", "integer"}}}};
  };
  return {{"RateLimit-Limit",
           header("Requests allowed in the window, of the limit that leaves least; absent where "
                  "requests are not limited.")},
          {"RateLimit-Remaining", header("Requests left in that window.")},
          {"RateLimit-Reset", header("Seconds until that window ends.")},
          {"Retry-After", header("Seconds until the request may be repeated: of 429 and 503.")}};
}

OrderedJson header_references(std::initializer_list<const char*> names) {
  OrderedJson references = OrderedJson::object();
  for (const std::string name : names) {
    references[name] = {{"$ref", "#/components/headers/" + name}};
  }
  return references;
}

OrderedJson operation_of(const Resource& resource, const Route& route, const Comments& comments,
                         Schemas& schemas) {
  const auto& method = *route.method->descriptor;
  const std::string text = comments.of(method);
  OrderedJson operation = {{"operationId", method.service()->name() + "_" + method.name()},
                           {"tags", {method.service()->name()}}};
  // The first sentence; without a comment the name must do.
  const std::size_t end = std::min(text.find('.'), text.size());
  std::string summary = text.empty() ? method.name() : text.substr(0, end);
  std::replace(summary.begin(), summary.end(), '\n', ' ');
  operation["summary"] = std::move(summary);
  if (!text.empty()) operation["description"] = text;
  if (auto parameters = parameters_of(resource, route, schemas); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (route.body == BodyIs::field) {
    operation["requestBody"] = {
        {"required", true},
        {"content", json_content(schemas.of(*route.body_field->message_type()))}};
  } else if (route.body == BodyIs::whole) {
    operation["requestBody"] = {{"content", json_content(schemas.inlined(
                                                route.request(), [&](const FieldDescriptor& field) {
                                                  return is_given_elsewhere(resource, route, field);
                                                }))}};
  }
  OrderedJson good = {{"description", "Done."}};
  good["headers"] =
      header_references({"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"});
  if (route.response().FindFieldByName("revision") != nullptr) {
    good["headers"]["ETag"] = {{"schema", {{"type", "string"}}}};
  }
  good["content"] = json_content(schemas.of(route.response()));
  operation["responses"] = {{"200", std::move(good)},
                            {"default", {{"$ref", "#/components/responses/Error"}}}};
  return operation;
}

OrderedJson error_response() {
  const OrderedJson error = {
      {"type", "object"},
      {"required", {"code", "status", "message", "details"}},
      {"properties",
       {{"code", {{"type", "integer"}, {"description", "The HTTP status."}}},
        {"status",
         {{"type", "string"}, {"description", "A google.rpc.Code, as INVALID_ARGUMENT."}}},
        {"message", {{"type", "string"}}},
        {"details",
         {{"type", "array"},
          {"description", "google.rpc.ErrorInfo always; BadRequest names each wrong field."},
          {"items", {{"type", "object"}}}}}}}};
  return {{"description", "Refused, or failed: the code says which."},
          {"headers", header_references({"RateLimit-Limit", "RateLimit-Remaining",
                                         "RateLimit-Reset", "Retry-After"})},
          {"content",
           json_content(
               {{"type", "object"}, {"required", {"error"}}, {"properties", {{"error", error}}}})}};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

std::string openapi_document(const RouteTable& routes, std::string_view version) {
  const Comments comments;
  Schemas schemas(comments);
  std::map<std::string, int> uses;  // a method with two routes is two operations
  OrderedJson paths = OrderedJson::object();
  for (const Resource& resource : routes.resources()) {
    OrderedJson& path = paths[resource.pattern()];
    for (const Route& route : resource.routes) {
      OrderedJson operation = operation_of(resource, route, comments, schemas);
      const std::string id = operation["operationId"];
      if (const int use = ++uses[id]; use > 1) {
        operation["operationId"] = id + "_" + std::to_string(use);
      }
      path[lower(route.verb)] = std::move(operation);
    }
  }
  OrderedJson document = {{"openapi", "3.0.3"}};
  document["info"] = {{"title", "Notifications"},
                      {"version", version},
                      {"description",
                       "What users may see and set: their own, told by the token.\n\nIn a body an "
                       "absent field stays as it is (PATCH) or has its default (PUT, POST). `null` "
                       "is no value: a PATCH takes the field back to its default, or removes the "
                       "entry of a map; in a list it is refused. An empty text, list or object is "
                       "a value. A field that does not exist is refused. A value that is there "
                       "already changes nothing."}};
  document["servers"] = OrderedJson::array({{{"url", "/"}}});
  document["security"] = OrderedJson::array({{{"bearer", OrderedJson::array()}}});
  document["paths"] = std::move(paths);
  document["components"] = {
      {"securitySchemes",
       {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}}},
      {"headers", header_components()},
      {"responses", {{"Error", error_response()}}},
      {"schemas", schemas.components()}};
  return document.dump(2) + "\n";
}

}  // namespace notify::edges::rest
