#pragma once
// Where a Redis node listens.

#include <cstdint>
#include <string>

namespace notify::redis {

/// A host and port, or the path of a unix socket.
struct Address {
  std::string host;
  std::uint16_t port = 6379;
  std::string unix_path;

  [[nodiscard]] bool is_unix() const { return !unix_path.empty(); }
  [[nodiscard]] std::string to_string() const {
    return is_unix() ? "unix:" + unix_path : host + ":" + std::to_string(port);
  }
  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace notify::redis
