#pragma once
// When a user wants quiet (SPEC §6): a time of the wall clock in the user's zone, so that it stays
// the same time when the clocks change.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time_zone.hpp"

namespace notify::rules {

enum class QuietMode : std::uint8_t {
  defer = 1,  ///< it comes when they are over
  silent,     ///< it comes without sound
  drop,       ///< it does not come
};
[[nodiscard]] std::string_view name(QuietMode mode);
[[nodiscard]] std::optional<QuietMode> parse_quiet_mode(std::string_view text);

/// Days of the week; Monday first.
class Weekdays {
 public:
  [[nodiscard]] static Weekdays all() { return Weekdays(0x7F); }
  constexpr Weekdays() = default;
  /// 1 is Monday, 7 Sunday.
  void add(int iso_day) { bits_ = static_cast<std::uint8_t>(bits_ | 1U << (iso_day - 1)); }
  [[nodiscard]] bool has(int iso_day) const { return (bits_ >> (iso_day - 1) & 1U) != 0; }
  [[nodiscard]] bool none() const { return bits_ == 0; }

  friend bool operator==(const Weekdays&, const Weekdays&) = default;

 private:
  constexpr explicit Weekdays(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_ = 0;
};

/// It is quiet while the clock shows a time in [start, end) of an interval whose first day is among
/// `days`. With end <= start it runs over midnight into the next day; equal: a whole day.
struct QuietHours {
  std::chrono::minutes start{};  ///< since midnight
  std::chrono::minutes end{};
  base::TimeZone zone;
  Weekdays days = Weekdays::all();
  QuietMode mode = QuietMode::defer;
  std::vector<std::string> exceptions;  ///< types that come all the same

  friend bool operator==(const QuietHours&, const QuietHours&) = default;
};

[[nodiscard]] bool is_quiet(const QuietHours& hours, base::WallTime at);

/// The first instant from `at` on that is not quiet; nullopt if there is none, the intervals
/// covering the whole week.
[[nodiscard]] std::optional<base::WallTime> quiet_until(const QuietHours& hours, base::WallTime at);

/// "22:00".
[[nodiscard]] std::string clock_text(std::chrono::milliseconds since_midnight);

}  // namespace notify::rules
