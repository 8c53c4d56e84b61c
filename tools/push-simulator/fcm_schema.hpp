#pragma once
// The form of a request to FCM: which fields there are, and of which type. Faults are told in the
// words of Google's JSON parser.
// Source: the discovery document of the FCM v1 API; Google's JSON mapping of protocol buffers.

#include <simdjson.h>
#include <optional>
#include <string>

namespace notify::simulator {

struct FieldViolation {
  std::string field;  ///< as `message.android.ttl`; empty: the body itself
  std::string description;
};

/// The first fault in the form of `{"validate_only":..,"message":{..}}`; nullopt if there is none.
/// Names may be written in snake_case or lowerCamelCase.
[[nodiscard]] std::optional<FieldViolation> check_fcm_form(simdjson::dom::element body);

/// The value of a field under either of its names; an error if it is not there.
[[nodiscard]] simdjson::simdjson_result<simdjson::dom::element> find_field(
    simdjson::dom::element object, std::string_view snake_case);

}  // namespace notify::simulator
