#pragma once
// Which fields a JSON body has, as a google.protobuf.FieldMask names them: what a PATCH means to
// change if it does not say.

#include <google/protobuf/descriptor.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace notify::edges::rest {

/// By the name in the .proto file or in lowerCamelCase; nullptr if there is none.
[[nodiscard]] const google::protobuf::FieldDescriptor* find_field(
    const google::protobuf::Descriptor& type, std::string_view name);

/// The paths of the fields in `body`, in snake_case, down to the leaves: "sound_enabled",
/// "quiet_hours.end"; of a map each entry: "types.call" (https://google.aip.dev/161#map-fields).
/// Repeated fields, google.protobuf types and empty objects are leaves; null is the field itself:
/// to be cleared. What is no field is passed over.
[[nodiscard]] std::vector<std::string> mask_of(const google::protobuf::Descriptor& type,
                                               const nlohmann::json& body);

}  // namespace notify::edges::rest
