#include "config/values.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace notify::config {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormats = {"json", "text"};
constexpr std::array<std::string_view, 2> kOverLimits = {"refuse", "suppress"};
constexpr std::array<std::string_view, 2> kWhenDown = {"deliver", "suppress"};
constexpr std::array<std::string_view, 3> kEnvironments = {"by_endpoint", "production", "sandbox"};

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
// Largest first: a value is written in the largest unit that divides it.
constexpr std::array<Unit, 5> kTimeUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizeUnits = {
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}};

std::string join(const auto& names, std::string_view separator) {
  return fmt::format("{}", fmt::join(names, separator));
}

Flaw not_a_list() { return {"takes one value, not a list", "write the value without brackets"}; }

std::string with_unit(std::int64_t value, const auto& units) {
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && (value != 0 || unit.name == "s" || unit.name.empty())) {
      return fmt::format("{}{}", value / unit.factor, unit.name);
    }
  }
  return fmt::format("{}", value);
}

std::string name_of(auto value, const auto& names) {
  return std::string(names.at(static_cast<std::size_t>(value)));
}

/// nullopt if `text` is not digits followed by one of the units, or too large.
std::optional<std::int64_t> read_with_unit(std::string_view text, const auto& units) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.front() == '-') return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    std::int64_t value = 0;
    if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &value)) return value;
  }
  return std::nullopt;
}

std::string range_of(const Rules& rules, const auto& write) {
  const bool unbounded = rules.max == std::numeric_limits<std::int64_t>::max();
  if (unbounded) return rules.min == 0 ? "" : fmt::format("at least {}", write(rules.min));
  return fmt::format("{} to {}", write(rules.min), write(rules.max));
}

std::string write_count(std::int64_t value) { return fmt::format("{}", value); }
std::string write_time(std::int64_t value) { return with_unit(value, kTimeUnits); }
std::string write_size(std::int64_t value) { return with_unit(value, kSizeUnits); }

/// The flaw of a number out of its range, if it is.
std::optional<Flaw> out_of_range(std::int64_t value, const Rules& rules, std::string_view written,
                                 const auto& write) {
  if (value >= rules.min && value <= rules.max) return std::nullopt;
  return Flaw{fmt::format("{} is out of range", written),
              fmt::format("allowed: {}", range_of(rules, write))};
}

template <class E>
std::optional<Flaw> parse_enum(const Raw& raw, const auto& names, E& into) {
  if (raw.is_list) return not_a_list();
  const auto found = std::find(names.begin(), names.end(), raw.text);
  if (found == names.end()) {
    return Flaw{fmt::format("'{}' is not one of its values", raw.text),
                fmt::format("one of: {}", join(names, ", "))};
  }
  into = static_cast<E>(found - names.begin());
  return std::nullopt;
}

/// The items of a YAML list, or of a text with commas.
std::vector<std::string> items_of(const Raw& raw) {
  if (raw.is_list) return raw.items;
  std::vector<std::string> items;
  std::string_view rest = raw.text;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.emplace_back(item);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return items;
}

template <class T>
std::optional<Flaw> parse_list(const Raw& raw, const Rules& rules, std::vector<T>& into) {
  std::vector<T> values;
  for (const std::string& item : items_of(raw)) {
    T value;
    if (auto flaw = parse(Raw{item, {}, false}, rules, value)) return flaw;
    values.push_back(std::move(value));
  }
  into = std::move(values);
  return std::nullopt;
}

std::string list_to_yaml(const auto& values) {
  std::vector<std::string> items;
  items.reserve(values.size());
  for (const auto& value : values) items.push_back(to_yaml(value));
  return fmt::format("[{}]", join(items, ", "));
}

std::optional<Flaw> control_character(std::string_view text) {
  if (!base::utf8_length(text)) return Flaw{"is not valid UTF-8", ""};
  if (text.find('\n') != text.npos || base::find_control_character(text)) {
    return Flaw{"holds a control character", "remove line ends and other invisible characters"};
  }
  return std::nullopt;
}

bool plain_in_yaml(std::string_view text) {
  const auto is_safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/_.+@%=?&-:~*").find(c) != std::string_view::npos;
  };
  if (text.empty() || text.back() == ':' || text == "null" || text == "Null" || text == "NULL") {
    return false;
  }
  if (std::string_view("+@%=?&-:~*").find(text.front()) != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), is_safe);
}

std::string text_to_yaml(std::string_view text) {
  if (plain_in_yaml(text)) return std::string(text);
  std::string quoted;
  base::append_json_string(quoted, text);
  return quoted;
}

}  // namespace

std::string to_string(const Address& address) {
  const bool bracketed = address.host.find(':') != std::string::npos;
  return bracketed ? fmt::format("[{}]:{}", address.host, address.port)
                   : fmt::format("{}:{}", address.host, address.port);
}

std::optional<Flaw> parse(const Raw& raw, const Rules&, std::string& into) {
  if (raw.is_list) return not_a_list();
  if (auto flaw = control_character(raw.text)) return flaw;
  into = raw.text;
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, std::size_t& into) {
  if (raw.is_list) return not_a_list();
  std::int64_t value = 0;
  const char* end = raw.text.data() + raw.text.size();
  const auto [stop, error] = std::from_chars(raw.text.data(), end, value);
  if (error != std::errc() || stop != end) {
    return Flaw{fmt::format("'{}' is not a whole number", raw.text), "write digits only"};
  }
  if (auto flaw = out_of_range(value, rules, raw.text, write_count)) return flaw;
  into = static_cast<std::size_t>(value);
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Bytes& into) {
  if (raw.is_list) return not_a_list();
  const auto value = read_with_unit(raw.text, kSizeUnits);
  if (!value) {
    return Flaw{fmt::format("'{}' is not a size", raw.text), "write it like 65536, 64KiB or 1MiB"};
  }
  if (auto flaw = out_of_range(*value, rules, raw.text, write_size)) return flaw;
  into.count = static_cast<std::size_t>(*value);
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules&, bool& into) {
  if (raw.is_list) return not_a_list();
  if (raw.text != "true" && raw.text != "false") {
    return Flaw{fmt::format("'{}' is neither true nor false", raw.text), "write true or false"};
  }
  into = raw.text == "true";
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Duration& into) {
  if (raw.is_list) return not_a_list();
  const auto value = read_with_unit(raw.text, kTimeUnits);
  if (!value) {
    return Flaw{fmt::format("'{}' is not a duration", raw.text),
                "write a whole number and its unit, like 250ms, 30s, 2m or 4h"};
  }
  if (auto flaw = out_of_range(*value, rules, raw.text, write_time)) return flaw;
  into = Duration(*value);
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Address& into) {
  if (raw.is_list) return not_a_list();
  const std::string_view text = raw.text;
  if (text.empty() && rules.may_be_empty) {
    into = {};
    return std::nullopt;
  }
  const Flaw flaw{fmt::format("'{}' is not an address", text),
                  "write host:port, or [address]:port for IPv6"};
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return flaw;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[] /@") != host.npos) return flaw;
  if (!bracketed && host.find(':') != host.npos) return flaw;
  if (control_character(host)) return flaw;
  std::uint16_t port = 0;
  const auto [stop, error] =
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size()) return flaw;
  if (port < rules.min) return Flaw{"the port must not be 0", "name the port of the service"};
  into = Address{std::string(host), port};
  return std::nullopt;
}

// The messages do not repeat the text: it may hold a password.
std::optional<Flaw> parse(const Raw& raw, const Rules& rules, Url& into) {
  if (raw.is_list) return not_a_list();
  const Url url(raw.text);
  if (url.empty() && rules.may_be_empty) {
    into = url;
    return std::nullopt;
  }
  const bool has_space = raw.text.find(' ') != std::string::npos;
  if (has_space || control_character(raw.text) || url.scheme().empty()) {
    return Flaw{"is not a URL", fmt::format("it begins with {}://",
                                            rules.schemes.empty() ? "https" : rules.schemes[0])};
  }
  const bool allowed =
      rules.schemes.empty() ||
      std::find(rules.schemes.begin(), rules.schemes.end(), url.scheme()) != rules.schemes.end();
  if (!allowed) {
    return Flaw{fmt::format("the scheme '{}' is not supported here", url.scheme()),
                fmt::format("one of: {}", join(rules.schemes, ", "))};
  }
  into = url;
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, FilePath& into) {
  std::string text;
  if (auto flaw = parse(raw, rules, text)) return flaw;
  into = text;
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules& rules, base::Secret& into) {
  if (raw.is_list) return not_a_list();
  const auto size = static_cast<std::int64_t>(raw.text.size());
  if (size != 0 && (size < rules.min || size > rules.max)) {
    return Flaw{"has the wrong length",
                fmt::format("allowed: {} characters", range_of(rules, write_count))};
  }
  into = base::Secret(raw.text);
  return std::nullopt;
}

std::optional<Flaw> parse(const Raw& raw, const Rules&, LogLevel& into) {
  return parse_enum(raw, kLevels, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules&, LogFormat& into) {
  return parse_enum(raw, kFormats, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules&, OverLimit& into) {
  return parse_enum(raw, kOverLimits, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules&, WhenDown& into) {
  return parse_enum(raw, kWhenDown, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules&, ApnsEnvironment& into) {
  return parse_enum(raw, kEnvironments, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules& rules, std::vector<std::string>& into) {
  return parse_list(raw, rules, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules& rules, std::vector<Duration>& into) {
  return parse_list(raw, rules, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules& rules, std::vector<Rate>& into) {
  return parse_list(raw, rules, into);
}
std::optional<Flaw> parse(const Raw& raw, const Rules& rules, std::vector<TypeRate>& into) {
  return parse_list(raw, rules, into);
}

std::string to_yaml(const std::string& value) { return text_to_yaml(value); }
std::string to_yaml(const std::size_t& value) { return fmt::format("{}", value); }
std::string to_yaml(const Bytes& value) {
  return write_size(static_cast<std::int64_t>(value.count));
}
std::string to_yaml(const bool& value) { return value ? "true" : "false"; }
std::string to_yaml(const Duration& value) { return write_time(value.count()); }
std::string to_yaml(const Address& value) {
  return text_to_yaml(value.empty() ? "" : to_string(value));
}
std::string to_yaml(const Url& value) { return text_to_yaml(value.masked()); }
std::string to_yaml(const FilePath& value) { return text_to_yaml(value.string()); }
std::string to_yaml(const base::Secret& value) { return text_to_yaml(value.empty() ? "" : "***"); }
std::string to_yaml(const LogLevel& value) { return name_of(value, kLevels); }
std::string to_yaml(const LogFormat& value) { return name_of(value, kFormats); }
std::string to_yaml(const OverLimit& value) { return name_of(value, kOverLimits); }
std::string to_yaml(const WhenDown& value) { return name_of(value, kWhenDown); }
std::string to_yaml(const ApnsEnvironment& value) { return name_of(value, kEnvironments); }
std::string to_yaml(const std::vector<std::string>& value) { return list_to_yaml(value); }
std::string to_yaml(const std::vector<Duration>& value) { return list_to_yaml(value); }
std::string to_yaml(const std::vector<Rate>& value) { return list_to_yaml(value); }
std::string to_yaml(const std::vector<TypeRate>& value) { return list_to_yaml(value); }

Description describe(const std::string&, const Rules&) { return {"text", ""}; }
Description describe(const std::size_t&, const Rules& rules) {
  return {"integer", range_of(rules, write_count)};
}
Description describe(const Bytes&, const Rules& rules) {
  return {"size", range_of(rules, write_size)};
}
Description describe(const bool&, const Rules&) { return {"boolean", "true, false"}; }
Description describe(const Duration&, const Rules& rules) {
  return {"duration", range_of(rules, write_time)};
}
Description describe(const Address&, const Rules& rules) {
  return {"host:port", rules.min == 0 ? "port 0: any free one" : ""};
}
Description describe(const Url&, const Rules& rules) { return {"URL", join(rules.schemes, ", ")}; }
Description describe(const FilePath&, const Rules&) { return {"file", ""}; }
Description describe(const base::Secret&, const Rules& rules) {
  const std::string range = range_of(rules, write_count);
  return {"secret", range.empty() ? "" : range + " characters"};
}
Description describe(const LogLevel&, const Rules&) { return {"choice", join(kLevels, ", ")}; }
Description describe(const LogFormat&, const Rules&) { return {"choice", join(kFormats, ", ")}; }
Description describe(const OverLimit&, const Rules&) { return {"choice", join(kOverLimits, ", ")}; }
Description describe(const WhenDown&, const Rules&) { return {"choice", join(kWhenDown, ", ")}; }
Description describe(const ApnsEnvironment&, const Rules&) {
  return {"choice", join(kEnvironments, ", ")};
}
Description describe(const std::vector<std::string>&, const Rules&) {
  return {"list of texts", ""};
}
Description describe(const std::vector<Duration>&, const Rules& rules) {
  return {"list of durations", "each " + range_of(rules, write_time)};
}
Description describe(const std::vector<Rate>&, const Rules& rules) {
  return {"list of rates", "each " + range_of(rules, write_count) + ", in 1m, 1h or 1d"};
}
Description describe(const std::vector<TypeRate>&, const Rules&) {
  return {"list of types' rates", "each like promotion user 3/1d"};
}

}  // namespace notify::config
