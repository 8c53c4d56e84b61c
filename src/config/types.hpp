#pragma once
// What a configured value can be, besides the standard types. Each has a way to be written in YAML
// and in an environment variable (values.hpp).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.hpp"

namespace notify::config {

/// Written `30s`, `250ms`, `2m`, `4h`, `7d`.
using Duration = std::chrono::milliseconds;

using FilePath = std::filesystem::path;

/// Written `host:port` or `[::1]:port`. To listen on port 0 means: on any free port.
struct Address {
  std::string host;
  std::uint16_t port = 0;
  [[nodiscard]] bool empty() const { return host.empty(); }
  friend bool operator==(const Address&, const Address&) = default;
};
[[nodiscard]] std::string to_string(const Address& address);

/// So many in a window of a minute, an hour or a day. Written `60/1m`, `600/1h`, `1000/1d`.
struct Rate {
  std::size_t count = 0;
  Duration window{0};
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// A rate of one notification type by itself. Written `promotion user 3/1d`: type, whose, rate.
struct TypeRate {
  std::string type;
  std::string subject;
  Rate rate;
  friend bool operator==(const TypeRate&, const TypeRate&) = default;
};

/// Written `65536`, `64KiB`, `1MiB`.
struct Bytes {
  std::size_t count = 0;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

/// A URL, which may carry a password and is therefore treated as a secret.
class Url {
 public:
  Url() = default;
  explicit Url(std::string text) : text_(std::move(text)) {}

  /// The whole text; call it where the connection is made, nowhere else.
  [[nodiscard]] std::string_view reveal() const { return text_.reveal(); }
  /// The text with every password replaced by `***`: for people.
  [[nodiscard]] std::string masked() const;
  /// In lower case, without the colon; empty if there is none.
  [[nodiscard]] std::string scheme() const;
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend bool operator==(const Url&, const Url&) = default;

 private:
  base::Secret text_;
};

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
enum class LogFormat : std::uint8_t { json, text };
enum class OverLimit : std::uint8_t { refuse, suppress };
/// What becomes of a notification when nobody can say whether its user exists.
enum class WhenDown : std::uint8_t { deliver, suppress };
/// The environment of Apple whose tokens APNs is asked about.
enum class ApnsEnvironment : std::uint8_t { by_endpoint, production, sandbox };

}  // namespace notify::config
