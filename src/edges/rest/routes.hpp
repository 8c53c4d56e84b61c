#pragma once
// Which method a path and a verb stand for, read from the google.api.http annotations of the
// methods that there are. A method that gets an annotation gets a route; nothing is written here
// for it. Source: google/api/http.proto.

#include <google/protobuf/descriptor.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "edges/grpc/method_table.hpp"

namespace notify::edges::rest {

/// The name of the field that says whose a message is.
inline constexpr const char* kUserField = "user_id";

enum class BodyIs {
  none = 1,
  whole,  ///< all fields that the path does not have (body: "*")
  field,  ///< one field of the request
};

struct Route {
  const MethodTable::Method* method;
  std::string verb;  ///< "GET", "PUT", "POST", "DELETE" or "PATCH"
  BodyIs body = BodyIs::none;
  const google::protobuf::FieldDescriptor* body_field = nullptr;  ///< with BodyIs::field
  /// A FieldMask that tells which fields of the body are meant; a PATCH without one gets it from
  /// what its body has.
  const google::protobuf::FieldDescriptor* mask_field = nullptr;

  [[nodiscard]] const google::protobuf::Descriptor& request() const {
    return *method->descriptor->input_type();
  }
  [[nodiscard]] const google::protobuf::Descriptor& response() const {
    return *method->descriptor->output_type();
  }
};

struct Segment {
  std::string text;  ///< a literal, or the name of a field
  bool is_field = false;
  friend auto operator<=>(const Segment&, const Segment&) = default;
};

/// One path, with a route for each of its verbs.
struct Resource {
  std::vector<Segment> path;
  std::vector<Route> routes;

  [[nodiscard]] const Route* route(std::string_view verb) const;
  /// "GET, HEAD, OPTIONS, PATCH".
  [[nodiscard]] std::string allowed() const;
  /// "/api/v1/things/{thing_id}".
  [[nodiscard]] std::string pattern() const;
};

/// Field names and the segments that stand for them.
using Variables = std::map<std::string, std::string>;

class RouteTable {
 public:
  /// Lifetime: `methods` outlives this.
  /// Errors: Errc::invalid for an annotation that is not supported, and for a method that would not
  ///         be bound to a user: its request must have a `user_id`, which becomes the caller's, or
  ///         it only reads and its response says whose it is. Nothing is served by mistake.
  [[nodiscard]] static base::Expected<RouteTable> create(
      const std::vector<MethodTable::Method>& methods);

  struct Match {
    const Resource* resource;
    Variables variables;
  };
  /// A literal goes before a field: "/things/settings" before "/things/{thing_id}".
  [[nodiscard]] std::optional<Match> find(const std::vector<std::string>& segments) const;

  [[nodiscard]] const std::vector<Resource>& resources() const { return resources_; }

 private:
  std::vector<Resource> resources_;  // in the order in which they are tried
};

}  // namespace notify::edges::rest
