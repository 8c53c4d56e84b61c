#pragma once
// What messages of all services have in common: times, ids, page tokens.

#include <google/protobuf/map.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strong_id.hpp"

namespace notify::edges {

inline constexpr const char* kUuidForm =
    "must be a UUID in its canonical form, 8-4-4-4-12 hexadecimal digits";
inline constexpr const char* kPageTokenForm = "must be the next_page_token of an earlier answer";

/// Items on a page: of a request that does not say, and at most.
inline constexpr std::int32_t kPageDefault = 20;
inline constexpr std::int32_t kPageMax = 100;

/// Times beyond what protobuf allows (years 1 to 9999) would overflow our arithmetic; those before
/// 1970 are nobody's.
[[nodiscard]] bool is_valid(const google::protobuf::Timestamp& at);

/// In key order, so that a message about the n-th entry means something.
/// Lifetime: views into the map.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> to_pairs(
    const google::protobuf::Map<std::string, std::string>& map);

/// A page token is the id of the last notification shown, opaque to callers.
[[nodiscard]] std::string encode_page_token(base::NotificationId last);
[[nodiscard]] std::optional<base::NotificationId> decode_page_token(std::string_view token);

}  // namespace notify::edges
