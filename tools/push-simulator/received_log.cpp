#include "push-simulator/received_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/text.hpp"

namespace notify::simulator {
namespace {

/// As a JSON string, whatever the bytes are: what is not UTF-8 is read as Latin-1.
void append_text(std::string& out, std::string_view text) {
  if (base::utf8_length(text)) {
    base::append_json_string(out, text);
    return;
  }
  std::string recoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      recoded += c;
    } else {
      recoded += static_cast<char>(0xC0 | (byte >> 6));
      recoded += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  base::append_json_string(out, recoded);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  append_text(out, value);
}

/// Valid JSON goes in as it is; a line break in it can only be white space between tokens.
void append_payload(std::string& out, const ReceivedEntry& entry) {
  out.append(",\"payload\":");
  if (!entry.payload_is_json) return append_text(out, entry.payload);
  const auto begin = static_cast<std::ptrdiff_t>(out.size());
  out.append(entry.payload);
  std::replace_if(
      out.begin() + begin, out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

}  // namespace

base::Expected<ReceivedLog> ReceivedLog::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return base::fail(base::Errc::unavailable,
                      path.string() + " cannot be opened: " + std::strerror(errno));
  }
  return ReceivedLog(fd);
}

ReceivedLog::ReceivedLog(ReceivedLog&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      written_(other.written_),
      offsets_(std::move(other.offsets_)) {}

ReceivedLog::~ReceivedLog() {
  if (fd_ < 0) return;
  flush();
  ::close(fd_);
}

void ReceivedLog::append(const ReceivedEntry& entry) {
  offsets_.push_back(written_ + buffer_.size());
  buffer_.append("{\"at\":\"").append(base::to_rfc3339(entry.at)).append("\"");
  append_field(buffer_, "provider", entry.provider);
  append_field(buffer_, entry.id.name, entry.id.value);
  for (const ReceivedField& field : entry.fields) append_field(buffer_, field.name, field.value);
  fmt::format_to(std::back_inserter(buffer_), ",\"status\":{},\"connection\":{}", entry.status,
                 entry.connection);
  append_field(buffer_, "reason", entry.reason);
  if (!entry.fault.empty()) append_field(buffer_, "fault", entry.fault);
  append_payload(buffer_, entry);
  buffer_.append("}\n");
  if (buffer_.size() >= kBuffer) flush();
}

void ReceivedLog::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ::ssize_t count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;  // a full disk: the lines are lost, the counters are not
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  written_ += buffer_.size() - rest.size();
  if (!rest.empty()) {
    while (!offsets_.empty() && offsets_.back() >= written_) offsets_.pop_back();
  }
  buffer_.clear();
}

void ReceivedLog::clear() {
  buffer_.clear();
  offsets_.clear();
  written_ = 0;
  if (::ftruncate(fd_, 0) != 0) written_ = static_cast<std::uint64_t>(::lseek(fd_, 0, SEEK_END));
}

std::string ReceivedLog::read(std::uint64_t since, std::uint64_t limit) {
  flush();
  if (since >= offsets_.size() || limit == 0) return "[]";
  const std::uint64_t end = std::min<std::uint64_t>(offsets_.size(), since + limit);
  const std::uint64_t from = offsets_[since];
  const std::uint64_t to = end < offsets_.size() ? offsets_[end] : written_;
  std::string lines(to - from, '\0');
  const ::ssize_t count = ::pread(fd_, lines.data(), lines.size(), static_cast<::off_t>(from));
  if (count != static_cast<::ssize_t>(lines.size()) || lines.empty()) return "[]";
  lines.pop_back();
  std::replace(lines.begin(), lines.end(), '\n', ',');
  return "[" + lines + "]";
}

}  // namespace notify::simulator
