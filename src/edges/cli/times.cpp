#include "edges/cli/times.hpp"

#include <charconv>
#include <string>

#include "base/text.hpp"

namespace notify::edges {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

std::int64_t seconds_of(char unit) {
  switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86'400;
    default: return 0;
  }
}

}  // namespace

Expected<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::int64_t kMax = std::int64_t{10} * 366 * 86'400;
  const std::int64_t unit = text.empty() ? 0 : seconds_of(text.back());
  std::int64_t number = 0;
  if (unit > 0) {
    const char* const end = text.data() + text.size() - 1;
    const auto [parsed, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && parsed == end && number >= 0 && number <= kMax / unit) {
      return std::chrono::seconds(number * unit);
    }
  }
  return fail(Errc::invalid, "\"" + std::string(text) +
                                 "\" is no duration: write a number and s, m, h or d, as in 2h");
}

Expected<base::WallTime> parse_instant(std::string_view text, base::WallTime now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  std::string sql(text);
  if (sql.size() >= 20 && sql[10] == 'T' && sql.back() == 'Z') {
    sql[10] = ' ';
    sql.pop_back();
    if (const auto at = base::parse_sql_timestamp(sql)) return *at;
  }
  return fail(Errc::invalid, "\"" + std::string(text) +
                                 "\" is no time: write 2026-11-22T23:54:25Z (UTC), or how long "
                                 "ago it is, as in 2h");
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto ms = duration.count();
  if (ms < 1000) return std::to_string(ms) + " ms";
  if (ms < 120'000) {
    std::string text = std::to_string(ms / 1000);
    const auto tenths = ms % 1000 / 100;
    if (tenths != 0) text += "." + std::to_string(tenths);
    return text + " s";
  }
  if (ms < 2 * 3'600'000) return std::to_string(ms / 60'000) + " min";
  return std::to_string(ms / 3'600'000) + " h";
}

}  // namespace notify::edges
