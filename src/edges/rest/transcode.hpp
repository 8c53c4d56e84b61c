#pragma once
// Between the parts of an HTTP request and the messages of a method, by reflection: what stands in
// the path, in the query and in the body becomes one request, and a response becomes JSON.
//
// JSON is protobuf's (https://protobuf.dev/programming-guides/proto3/#json) with the names of the
// .proto files: requests may also use lowerCamelCase.

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>

#include "base/strong_id.hpp"
#include "edges/rest/routes.hpp"
#include "edges/rest/target.hpp"
#include "flows/refusal.hpp"

namespace notify::edges::rest {

struct RequestParts {
  Variables variables;
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;                     ///< JSON; empty: none
  std::optional<std::string> if_match;  ///< the header, as it came
  base::UserId user;                    ///< who asks, as the token proves
};

using Message = google::protobuf::Message;

/// The request of the route's method, `user_id` set to the user. A PATCH whose mask the caller did
/// not give gets one that names what its body has, but for what a body cannot change.
/// Errors: Errc::invalid with violations that name fields; Errc::permission_denied if it names
///         another user.
[[nodiscard]] flows::Answer<std::unique_ptr<Message>> to_request(const Route& route,
                                                                 const RequestParts& parts);

/// Whether every user that the message names, however deep, is `user`.
[[nodiscard]] bool is_only_about(const Message& message, base::UserId user);

/// Fields with their default value are written too, but not those that can be absent and are.
/// nullopt for what JSON cannot say: a time beyond the year 9999.
[[nodiscard]] std::optional<std::string> to_json(const Message& message);

/// `"7"`, of a response with `revision` 7: what If-Match takes. nullopt if there is no revision, or
/// it is 0: what was never changed has nothing to compare.
[[nodiscard]] std::optional<std::string> etag_of(const Message& message);

}  // namespace notify::edges::rest
