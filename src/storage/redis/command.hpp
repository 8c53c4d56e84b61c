#pragma once
// One command for Redis, encoded as it is built: an array of bulk strings, the form of every RESP2
// request.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace notify::redis {

/// `Command("SET").key("notification:queue:high").arg(value)`. All values are binary safe.
class Command {
 public:
  explicit Command(std::string_view name) { arg(name); }

  Command& arg(std::string_view value);
  Command& arg(const char* value) { return arg(std::string_view(value)); }
  Command& arg(std::int64_t value);

  /// An argument that is a key; the first one decides the node in a cluster.
  Command& key(std::string_view value);

  [[nodiscard]] std::optional<std::uint16_t> slot() const { return slot_; }
  [[nodiscard]] std::size_t size() const { return count_; }
  /// About what encode_to() appends.
  [[nodiscard]] std::size_t bytes() const { return arguments_.size() + 16; }

  void encode_to(std::string& out) const;

 private:
  std::string arguments_;
  std::size_t count_ = 0;
  std::optional<std::uint16_t> slot_;
};

}  // namespace notify::redis
