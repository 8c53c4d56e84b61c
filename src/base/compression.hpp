#pragma once
// zstd (RFC 8878), for large values in caches. `zstd -d` reads them too.

#include <optional>
#include <string>
#include <string_view>

namespace notify::base {

/// One frame, which says how much it holds. About 3 ms for a megabyte of JSON.
[[nodiscard]] std::string compress(std::string_view bytes);

/// Whether it begins as a frame does: no text in UTF-8 can.
[[nodiscard]] bool is_compressed(std::string_view bytes);

/// Errors: nullopt for what is not one whole frame, or holds more than `max` bytes.
[[nodiscard]] std::optional<std::string> decompress(std::string_view frame, std::size_t max);

}  // namespace notify::base
