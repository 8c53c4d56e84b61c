#pragma once
// One HTTP request as it came off a connection. Objects are reused from stream to stream, so that
// after warming up a request costs no allocation.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace notify::simulator {

/// The regular headers (no pseudo-headers) in order of arrival, in one buffer.
class HeaderList {
 public:
  struct Header {
    std::string_view name;
    std::string_view value;
  };

  void add(std::string_view name, std::string_view value) {
    entries_.push_back({static_cast<std::uint32_t>(bytes_.size()),
                        static_cast<std::uint32_t>(name.size()),
                        static_cast<std::uint32_t>(value.size())});
    bytes_.append(name).append(value);
  }

  void clear() {
    bytes_.clear();
    entries_.clear();
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] Header at(std::size_t index) const {
    const Entry& entry = entries_[index];
    const std::string_view bytes = bytes_;
    return {bytes.substr(entry.offset, entry.name_size),
            bytes.substr(entry.offset + entry.name_size, entry.value_size)};
  }

 private:
  struct Entry {
    std::uint32_t offset;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

struct HttpRequest {
  static constexpr std::size_t kKeptBody = 8 * 1024;

  std::string method;
  std::string path;
  HeaderList headers;
  std::string body;           ///< at most kKeptBody bytes of it
  std::size_t body_size = 0;  ///< all of it

  void add_body(std::string_view chunk) {
    body_size += chunk.size();
    if (body.size() < kKeptBody) body.append(chunk.substr(0, kKeptBody - body.size()));
  }

  void clear() {
    method.clear();
    path.clear();
    headers.clear();
    body.clear();
    body_size = 0;
  }
};

}  // namespace notify::simulator
