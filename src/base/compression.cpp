#include "base/compression.hpp"

#include <zstd.h>

#include <stdexcept>

namespace notify::base {

std::string compress(std::string_view bytes) {
  constexpr int kLevel = 1;  // the fastest; the next ones save a few percent more
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), kLevel);
  // With room for the worst case only memory can be lacking.
  if (ZSTD_isError(size) != 0) throw std::runtime_error(ZSTD_getErrorName(size));
  frame.resize(size);
  return frame;
}

bool is_compressed(std::string_view bytes) { return bytes.starts_with("\x28\xb5\x2f\xfd"); }

std::optional<std::string> decompress(std::string_view frame, std::size_t max) {
  const unsigned long long held = ZSTD_getFrameContentSize(frame.data(), frame.size());
  const bool is_told = held != ZSTD_CONTENTSIZE_UNKNOWN && held != ZSTD_CONTENTSIZE_ERROR;
  if (!is_told || held > max) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(held), '\0');
  const std::size_t size = ZSTD_decompress(bytes.data(), bytes.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0 || size != bytes.size()) return std::nullopt;
  return bytes;
}

}  // namespace notify::base
