#pragma once
// Names of services: SPIFFE ids, `spiffe://whispr.example/ns/default/sa/messaging-service`.

#include <string_view>

namespace notify::base {

/// The standard allows 2,048 bytes; we record ids in columns of 255.
inline constexpr std::size_t kSpiffeIdMax = 255;

/// Whether it is one of a service, in its only spelling (SPIFFE-ID, §2: a trust domain in lower
/// case and a path; no port, query, empty segment, `.` or `..`).
[[nodiscard]] bool is_spiffe_id(std::string_view text);

}  // namespace notify::base
