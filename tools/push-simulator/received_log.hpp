#pragma once
// state-dir/received.jsonl: every request, accepted or refused, one JSON object a line, in order.
// Writing is buffered; reading goes by line number through an index of offsets, so that neither
// needs the lines in memory.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/expected.hpp"

namespace notify::simulator {

/// Something that a provider's request says, by its name in the log.
struct ReceivedField {
  std::string_view name;
  std::string_view value;
};

struct ReceivedEntry {
  base::WallTime at;
  std::string_view provider;
  ReceivedField id;
  std::span<const ReceivedField> fields;
  int status = 0;  ///< 0: no answer was given
  std::string_view reason;
  std::string_view fault;  ///< the scripted fault that was applied, if any
  std::uint64_t connection = 0;
  bool payload_is_json = false;
  std::string_view payload;
};

/// Threading: one thread.
/// Limits:    a buffer of about 256 KiB; eight bytes of memory for each line.
class ReceivedLog {
 public:
  /// Begins anew: what an earlier run left in the file is dropped.
  [[nodiscard]] static base::Expected<ReceivedLog> open(const std::filesystem::path& path);
  ReceivedLog(ReceivedLog&& other) noexcept;
  ReceivedLog& operator=(ReceivedLog&&) = delete;
  ~ReceivedLog();

  void append(const ReceivedEntry& entry);
  void flush();
  void clear();

  [[nodiscard]] std::uint64_t size() const { return offsets_.size(); }
  /// The lines from number `since` (0 is the first), at most `limit`, as a JSON array.
  [[nodiscard]] std::string read(std::uint64_t since, std::uint64_t limit);

 private:
  explicit ReceivedLog(int fd) : fd_(fd) {}
  static constexpr std::size_t kBuffer = 256 * 1024;

  int fd_;
  std::string buffer_;
  std::uint64_t written_ = 0;
  std::vector<std::uint64_t> offsets_;
};

}  // namespace notify::simulator
