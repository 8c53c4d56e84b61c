#pragma once
// Between google.protobuf.Timestamp, as messages carry it, and our milliseconds.

#include <google/protobuf/timestamp.pb.h>

#include "base/clock.hpp"

namespace notify::net {

/// Meaningful for years 1 to 9999, which is what protobuf allows.
[[nodiscard]] inline base::WallTime to_wall_time(const google::protobuf::Timestamp& at) {
  return base::WallTime(std::chrono::seconds(at.seconds()) +
                        std::chrono::milliseconds(at.nanos() / 1'000'000));
}

/// `from` is not before 1970.
inline void set(google::protobuf::Timestamp* to, base::WallTime from) {
  const std::int64_t unix_ms = from.time_since_epoch().count();
  to->set_seconds(unix_ms / 1000);
  to->set_nanos(static_cast<std::int32_t>(unix_ms % 1000) * 1'000'000);
}

}  // namespace notify::net
