#pragma once
// Stands between a user's id and the logs: the same user is the same short word in every line, and
// nobody gets back to the id without the key.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "base/strong_id.hpp"

namespace notify::telemetry {

/// SipHash-2-4. Source: Aumasson & Bernstein, 2012. A keyed hash for short inputs.
[[nodiscard]] std::uint64_t siphash24(std::array<std::uint64_t, 2> key, std::string_view text);

/// Threading: any.
class Redactor {
 public:
  /// Without a key the words are comparable within one run of one process only.
  explicit Redactor(const base::Secret& key);

  /// `u-` and 16 hexadecimal digits.
  [[nodiscard]] std::string user(const base::UserId& id) const;

 private:
  std::array<std::uint64_t, 2> key_;
};

}  // namespace notify::telemetry
