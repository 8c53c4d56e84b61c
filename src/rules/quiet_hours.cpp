#include "rules/quiet_hours.hpp"

namespace notify::rules {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

/// `day` counts from 1970-01-01, a Thursday.
int iso_weekday(days day) {
  const auto since_monday = (day.count() + 3) % 7;
  return static_cast<int>(since_monday < 0 ? since_monday + 7 : since_monday) + 1;
}

bool is_quiet_when_shown(const QuietHours& hours, milliseconds shown) {
  const days today = std::chrono::floor<days>(shown);
  const milliseconds time = shown - today;
  const auto begins_on = [&hours](days day) { return hours.days.has(iso_weekday(day)); };
  if (hours.start < hours.end) {
    return time >= hours.start && time < hours.end && begins_on(today);
  }
  if (time >= hours.start && begins_on(today)) return true;
  return time < hours.end && begins_on(today - days(1));
}

/// The next time that a clock shows which is not quiet, if it runs evenly from a quiet one on.
std::optional<milliseconds> next_end(const QuietHours& hours, milliseconds shown) {
  milliseconds end = std::chrono::floor<days>(shown) + hours.end;
  if (end <= shown) end += days(1);
  // Where an interval ends another may begin; after a week they repeat.
  for (int day = 0; day < 8; ++day, end += days(1)) {
    if (!is_quiet_when_shown(hours, end)) return end;
  }
  return std::nullopt;
}

}  // namespace

std::string clock_text(std::chrono::milliseconds since_midnight) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(since_midnight).count();
  std::string text = "00:00";
  text[0] = static_cast<char>('0' + minutes / 600);
  text[1] = static_cast<char>('0' + minutes / 60 % 10);
  text[3] = static_cast<char>('0' + minutes % 60 / 10);
  text[4] = static_cast<char>('0' + minutes % 10);
  return text;
}

std::string_view name(QuietMode mode) {
  switch (mode) {
    case QuietMode::defer: return "defer";
    case QuietMode::silent: return "silent";
    case QuietMode::drop: return "drop";
  }
  return "";
}

std::optional<QuietMode> parse_quiet_mode(std::string_view text) {
  for (const QuietMode mode : {QuietMode::defer, QuietMode::silent, QuietMode::drop}) {
    if (text == name(mode)) return mode;
  }
  return std::nullopt;
}

bool is_quiet(const QuietHours& hours, base::WallTime at) {
  return is_quiet_when_shown(hours, hours.zone.read(at).shown);
}

std::optional<base::WallTime> quiet_until(const QuietHours& hours, base::WallTime at) {
  // Clocks are changed a few times a year at most: who finds no end in two weeks finds none.
  const base::WallTime horizon = at + days(15);
  while (at < horizon) {
    const base::TimeZone::Reading reading = hours.zone.read(at);
    if (!is_quiet_when_shown(hours, reading.shown)) return at;
    const auto end = next_end(hours, reading.shown);
    if (end && at + (*end - reading.shown) < reading.even_until) {
      return at + (*end - reading.shown);
    }
    // The clock is changed before that: what it shows then decides.
    at = reading.even_until;
  }
  return std::nullopt;
}

}  // namespace notify::rules
