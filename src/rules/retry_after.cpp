#include "rules/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace notify::rules {
namespace {

using std::chrono::seconds;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

/// The digits of `text` as a number; nullopt if it holds anything else.
std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<unsigned> month(std::string_view name) {
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<unsigned>(found - kMonths.begin()) + 1;
}

/// `08:49:37`.
std::optional<seconds> time_of_day(std::string_view text) {
  const auto parts = split(text, ':');
  if (text.size() != 8 || parts.size() != 3) return std::nullopt;
  const auto hour = number(parts[0]);
  const auto minute = number(parts[1]);
  const auto second = number(parts[2]);
  // 60: a leap second.
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + seconds(*second);
}

struct DateTexts {
  std::string_view day;
  std::string_view month;
  std::string_view year;
  std::string_view time;
};

std::optional<base::WallTime> to_time(const DateTexts& texts, int century) {
  const auto day = number(texts.day);
  const auto month_number = month(texts.month);
  const auto year = number(texts.year);
  const auto time = time_of_day(texts.time);
  if (!day || !month_number || !year || !time) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year + century),
                                         std::chrono::month(*month_number),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year + century > 9999) return std::nullopt;
  return base::WallTime(std::chrono::sys_days(date)) + *time;
}

/// RFC 850 dates have a year of two digits: one that seems to be more than 50 years ahead is of
/// the century before.
std::optional<base::WallTime> with_short_year(const DateTexts& texts, base::WallTime now) {
  const auto today = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now));
  const auto short_year = number(texts.year);
  if (!short_year || texts.year.size() != 2) return std::nullopt;
  const int this_year = static_cast<int>(today.year());
  int century = this_year - this_year % 100;
  if (century + *short_year > this_year + 50) century -= 100;
  return to_time(texts, century);
}

std::optional<base::WallTime> parse_http_date(std::string_view text, base::WallTime now) {
  const auto parts = split(text, ' ');
  if (parts.empty()) return std::nullopt;
  const std::string_view first = parts[0].substr(0, parts[0].find(','));
  const auto is_day = [&](std::string_view day) {
    return first == day || first == day.substr(0, 3);
  };
  if (std::none_of(kDays.begin(), kDays.end(), is_day)) return std::nullopt;
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (parts.size() == 6 && parts[5] == "GMT") {
    return to_time({.day = parts[1], .month = parts[2], .year = parts[3], .time = parts[4]}, 0);
  }
  // Sunday, 06-Nov-94 08:49:37 GMT
  if (parts.size() == 4 && parts[3] == "GMT") {
    const auto date = split(parts[1], '-');
    if (date.size() != 3) return std::nullopt;
    return with_short_year({.day = date[0], .month = date[1], .year = date[2], .time = parts[2]},
                           now);
  }
  // Sun Nov  6 08:49:37 1994
  if (parts.size() == 5) {
    return to_time({.day = parts[2], .month = parts[1], .year = parts[4], .time = parts[3]}, 0);
  }
  return std::nullopt;
}

}  // namespace

std::optional<seconds> parse_retry_after(std::string_view text, base::WallTime now) {
  const bool is_number = !text.empty() && std::all_of(text.begin(), text.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    const auto wait = number(text);  // a number too large for an int is a long wait, too
    return wait ? std::min(seconds(*wait), kRetryAfterMax) : kRetryAfterMax;
  }
  const auto date = parse_http_date(text, now);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::ceil<seconds>(*date - now), seconds(0), kRetryAfterMax);
}

}  // namespace notify::rules
