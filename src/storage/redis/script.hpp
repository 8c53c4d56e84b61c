#pragma once
// A Lua script that runs atomically in Redis, known to the server by the SHA-1 of its text.

#include <string>
#include <string_view>

namespace notify::redis {

/// Made once, as a constant of the store that uses it.
/// Threading: immutable.
class Script {
 public:
  explicit Script(std::string source);

  [[nodiscard]] const std::string& source() const { return source_; }
  /// 40 hexadecimal digits, as EVALSHA wants.
  [[nodiscard]] const std::string& sha1() const { return sha1_; }

 private:
  std::string source_;
  std::string sha1_;
};

}  // namespace notify::redis
