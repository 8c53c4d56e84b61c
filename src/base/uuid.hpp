#pragma once
// 128-bit ids. The ones made here are UUIDv7 (RFC 9562 §5.7): the first 48 bits are the Unix
// time in milliseconds, so an id alone tells the partition of its row (decision D-3).

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/rng.hpp"

namespace notify::base {

class Uuid {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  constexpr Uuid() = default;
  constexpr explicit Uuid(Bytes bytes) : bytes_(bytes) {}

  /// Accepts only the canonical 8-4-4-4-12 form, in either case (RFC 9562 §4).
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);

  /// Canonical lower case, as APNs wants `apns-id`.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] bool is_nil() const { return bytes_ == Bytes{}; }
  [[nodiscard]] bool is_v7() const;

  /// The instant in a v7 id. Meaningful only if is_v7().
  [[nodiscard]] WallTime instant() const;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  Bytes bytes_{};
};

/// A v7-shaped id with the given instant whose other bits come from `bits`: used where the same
/// input must give the same id.
[[nodiscard]] Uuid uuid_v7_from(WallTime instant, std::array<std::uint8_t, 10> bits);

/// The smallest and largest id that share an instant: the bounds of a primary-key range scan.
[[nodiscard]] Uuid uuid_v7_min(WallTime instant);
[[nodiscard]] Uuid uuid_v7_max(WallTime instant);

/// Makes UUIDv7s that rise within one generator, also when the clock steps back (RFC 9562 §6.2,
/// method 1: a counter in rand_a, seeded anew each millisecond).
/// Threading: one thread; every worker has its own.
/// Lifetime:  `clock` and `rng` outlive this.
class UuidV7Generator {
 public:
  UuidV7Generator(const Clock& clock, Rng& rng) : clock_(clock), rng_(rng) {}
  [[nodiscard]] Uuid next();

 private:
  const Clock& clock_;
  Rng& rng_;
  std::int64_t last_ms_ = 0;
  std::uint16_t counter_ = 0;
};

}  // namespace notify::base

template <>
struct std::hash<notify::base::Uuid> {
  std::size_t operator()(const notify::base::Uuid& id) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, id.bytes().data(), 8);
    std::memcpy(&low, id.bytes().data() + 8, 8);
    return high ^ (low * 0x9E3779B97F4A7C15ULL);
  }
};
