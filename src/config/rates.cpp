// Rates: so many in a minute, an hour or a day. The other types of values are in values.cpp.

#include <fmt/format.h>
#include <algorithm>

#include "config/values.hpp"

namespace notify::config {
namespace {

constexpr std::array<std::string_view, 3> kRateWindows = {"1m", "1h", "1d"};
constexpr std::array<std::string_view, 5> kRateSubjects = {"user", "conversation", "device",
                                                           "caller", "ip"};

Flaw not_one_rate() { return {"takes one rate, not a list", "write the rate without brackets"}; }

}  // namespace

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Rate& into) {
  if (raw.is_list) return not_one_rate();
  const std::size_t slash = std::min(raw.text.find('/'), raw.text.size());
  const std::string window = raw.text.substr(std::min(slash + 1, raw.text.size()));
  if (std::find(kRateWindows.begin(), kRateWindows.end(), window) == kRateWindows.end()) {
    return Flaw{fmt::format("'{}' is not a rate", raw.text),
                "write it like 60/1m, 600/1h or 1000/1d: in a minute, an hour or a day"};
  }
  Rate rate{};
  if (auto flaw = parse(Raw{window, {}, false}, {}, rate.window)) return flaw;
  if (auto flaw = parse(Raw{raw.text.substr(0, slash), {}, false}, rules, rate.count)) return flaw;
  into = rate;
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, TypeRate& into) {
  if (raw.is_list) return not_one_rate();
  const std::size_t first = raw.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_");
  const std::size_t second = raw.text.find(' ', std::min(first, raw.text.size() - 1) + 1);
  if (first == 0 || second == raw.text.npos || raw.text[first] != ' ') {
    return Flaw{fmt::format("'{}' is not the rate of a type", raw.text),
                "write it like promotion user 3/1d: the type, whose, and the rate"};
  }
  TypeRate rate{raw.text.substr(0, first), raw.text.substr(first + 1, second - first - 1), {}};
  if (std::find(kRateSubjects.begin(), kRateSubjects.end(), rate.subject) == kRateSubjects.end()) {
    return Flaw{fmt::format("'{}' has no limits by type", rate.subject),
                fmt::format("one of: {}", fmt::join(kRateSubjects, ", "))};
  }
  if (auto flaw = parse(Raw{raw.text.substr(second + 1), {}, false}, rules, rate.rate)) return flaw;
  into = std::move(rate);
  return std::nullopt;
}

std::string to_yaml(const Rate& value) {
  return fmt::format("{}/{}", value.count, to_yaml(value.window));
}
std::string to_yaml(const TypeRate& value) {
  return to_yaml(fmt::format("{} {} {}", value.type, value.subject, to_yaml(value.rate)));
}

}  // namespace notify::config
