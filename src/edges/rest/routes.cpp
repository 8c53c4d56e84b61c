#include "edges/rest/routes.hpp"

#include <algorithm>
#include <set>

#include "google/api/annotations.pb.h"

namespace notify::edges::rest {
namespace {

using base::Expected;
using google::api::HttpRule;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

base::Unexpected<base::Error> wrong(const MethodTable::Method& method, const std::string& what) {
  return base::fail(base::Errc::invalid,
                    "google.api.http of " + method.descriptor->full_name() + ": " + what);
}

struct Pattern {
  std::string verb;
  std::string path;
};

Pattern pattern_of(const HttpRule& rule) {
  switch (rule.pattern_case()) {
    case HttpRule::kGet: return {"GET", rule.get()};
    case HttpRule::kPut: return {"PUT", rule.put()};
    case HttpRule::kPost: return {"POST", rule.post()};
    case HttpRule::kDelete: return {"DELETE", rule.delete_()};
    case HttpRule::kPatch: return {"PATCH", rule.patch()};
    case HttpRule::PATTERN_NOT_SET: break;
  }
  return {};
}

bool is_single_text(const FieldDescriptor* field) {
  return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated();
}

/// Whether a message of this type can say, anywhere in it, whose it is.
bool names_a_user(const Descriptor& type, std::set<const Descriptor*>& seen) {
  if (!seen.insert(&type).second) return false;
  if (is_single_text(type.FindFieldByName(kUserField))) return true;
  for (int i = 0; i < type.field_count(); ++i) {
    const Descriptor* inner = type.field(i)->message_type();
    if (inner != nullptr && names_a_user(*inner, seen)) return true;
  }
  return false;
}

bool is_bound_to_a_user(const Route& route) {
  if (is_single_text(route.request().FindFieldByName(kUserField))) return true;
  std::set<const Descriptor*> seen;
  return route.verb == "GET" && names_a_user(route.response(), seen);
}

/// Literals and `{field}`; of what http.proto allows besides, nothing is needed here.
Expected<std::vector<Segment>> parse_path(const MethodTable::Method& method,
                                          std::string_view path) {
  if (!path.starts_with('/')) return wrong(method, "the path does not begin with '/'");
  std::vector<Segment> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    std::string_view text = path.substr(0, end);
    path.remove_prefix(end);
    const bool is_field = text.starts_with('{') && text.ends_with('}');
    if (is_field) text = text.substr(1, text.size() - 2);
    if (text.empty() || text.find_first_of("{}*:=%?") != text.npos) {
      return wrong(method, "a part of the path is neither a word nor {field}");
    }
    const std::string name(text);
    if (is_field && !is_single_text(method.descriptor->input_type()->FindFieldByName(name))) {
      return wrong(method, "{" + name + "} is no single text field of the request");
    }
    segments.push_back({name, is_field});
  }
  return segments;
}

Expected<Route> make_route(const MethodTable::Method& method, const HttpRule& rule) {
  Route route{&method, pattern_of(rule).verb};
  if (!rule.response_body().empty()) return wrong(method, "response_body is not supported");
  if (rule.body() == "*") {
    route.body = BodyIs::whole;
  } else if (!rule.body().empty()) {
    route.body = BodyIs::field;
    route.body_field = route.request().FindFieldByName(rule.body());
    const bool is_message = route.body_field != nullptr && !route.body_field->is_repeated() &&
                            route.body_field->message_type() != nullptr;
    if (!is_message) return wrong(method, "the body is no single message of the request");
  }
  if (route.body != BodyIs::none && (route.verb == "GET" || route.verb == "DELETE")) {
    return wrong(method, route.verb + " has no body");
  }
  const FieldDescriptor* mask = route.request().FindFieldByName("update_mask");
  const bool is_mask = mask != nullptr && mask->message_type() != nullptr &&
                       mask->message_type()->full_name() == "google.protobuf.FieldMask";
  if (is_mask && route.verb == "PATCH" && route.body == BodyIs::field) route.mask_field = mask;
  if (!is_bound_to_a_user(route)) return wrong(method, "nothing says whose data it is about");
  return route;
}

/// Of two paths that both match, the one with the earlier literal.
bool is_tried_before(const Resource& a, const Resource& b) {
  return std::lexicographical_compare(
      a.path.begin(), a.path.end(), b.path.begin(), b.path.end(),
      [](const Segment& x, const Segment& y) { return x.is_field < y.is_field; });
}

bool same_shape(const std::vector<Segment>& a, const std::vector<Segment>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Segment& x, const Segment& y) {
    return x.is_field == y.is_field && (x.is_field || x.text == y.text);
  });
}

Expected<void> add(std::vector<Resource>& resources, std::vector<Segment> path, Route route) {
  const auto found = std::find_if(resources.begin(), resources.end(), [&](const Resource& known) {
    return same_shape(known.path, path);
  });
  if (found == resources.end()) {
    resources.push_back({std::move(path), {std::move(route)}});
    return {};
  }
  if (found->path != path || found->route(route.verb) != nullptr) {
    return wrong(*route.method, "another method has this route");
  }
  found->routes.push_back(std::move(route));
  return {};
}

std::optional<Variables> match(const std::vector<Segment>& path,
                               const std::vector<std::string>& segments) {
  if (path.size() != segments.size()) return std::nullopt;
  Variables variables;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i].is_field ? segments[i].empty() : segments[i] != path[i].text) return std::nullopt;
    if (path[i].is_field) variables[path[i].text] = segments[i];
  }
  return variables;
}

}  // namespace

const Route* Resource::route(std::string_view verb) const {
  if (verb == "HEAD") verb = "GET";
  const auto found = std::find_if(routes.begin(), routes.end(),
                                  [&](const Route& route) { return route.verb == verb; });
  return found == routes.end() ? nullptr : &*found;
}

std::string Resource::allowed() const {
  std::set<std::string> verbs = {"OPTIONS"};
  for (const Route& route : routes) verbs.insert(route.verb);
  if (verbs.contains("GET")) verbs.insert("HEAD");
  std::string list;
  for (const std::string& verb : verbs) list += (list.empty() ? "" : ", ") + verb;
  return list;
}

std::string Resource::pattern() const {
  std::string text;
  for (const Segment& segment : path) {
    text += segment.is_field ? "/{" + segment.text + "}" : "/" + segment.text;
  }
  return text;
}

Expected<RouteTable> RouteTable::create(const std::vector<MethodTable::Method>& methods) {
  RouteTable table;
  for (const MethodTable::Method& method : methods) {
    const auto& options = method.descriptor->options();
    if (!options.HasExtension(google::api::http)) continue;
    const HttpRule& rule = options.GetExtension(google::api::http);
    std::vector<const HttpRule*> rules = {&rule};
    for (const HttpRule& more : rule.additional_bindings()) rules.push_back(&more);
    for (const HttpRule* one : rules) {
      auto path = parse_path(method, pattern_of(*one).path);
      if (!path) return base::fail(std::move(path).error());
      auto route = make_route(method, *one);
      if (!route) return base::fail(std::move(route).error());
      auto added = add(table.resources_, std::move(*path), std::move(*route));
      if (!added) return base::fail(std::move(added).error());
    }
  }
  std::stable_sort(table.resources_.begin(), table.resources_.end(), is_tried_before);
  return table;
}

std::optional<RouteTable::Match> RouteTable::find(const std::vector<std::string>& segments) const {
  for (const Resource& resource : resources_) {
    if (auto variables = match(resource.path, segments)) {
      return Match{&resource, std::move(*variables)};
    }
  }
  return std::nullopt;
}

}  // namespace notify::edges::rest
