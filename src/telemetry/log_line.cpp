#include "telemetry/log_line.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"

namespace notify::telemetry {
namespace {

constexpr std::size_t kLongestValue = 2048;
constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 7> kReserved = {"ts",   "level",    "msg",       "component",
                                                       "node", "trace_id", "suppressed"};

/// Valid UTF-8 of a bounded length without control characters that a terminal would obey.
std::string safe(std::string_view text) {
  std::string result(text.substr(0, kLongestValue));
  if (text.size() > kLongestValue) {
    while (!result.empty() && (static_cast<std::uint8_t>(result.back()) & 0xC0) == 0x80) {
      result.pop_back();
    }
    if (!result.empty() && static_cast<std::uint8_t>(result.back()) >= 0xC0) result.pop_back();
    result += "...";
  }
  if (!base::utf8_length(result)) {
    std::replace_if(
        result.begin(), result.end(), [](char c) { return static_cast<std::uint8_t>(c) >= 0x80; },
        '?');
  }
  while (const auto at = base::find_control_character(result)) {
    // A C1 control is two bytes long; the first of both is replaced as well as the second.
    const bool two = static_cast<std::uint8_t>(result[*at]) >= 0x80;
    result.replace(*at, two ? 2 : 1, "?");
  }
  return result;
}

void append_string(std::string& out, std::string_view text) {
  base::append_json_string(out, safe(text));
}

struct AppendJson {
  std::string& out;
  void operator()(std::string_view value) const { append_string(out, value); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(double value) const {
    if (std::isfinite(value)) {
      fmt::format_to(std::back_inserter(out), "{}", value);
    } else {
      out += "null";
    }
  }
  void operator()(std::integral auto value) const {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
};

void append_member(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out += ',';
  base::append_json_string(out, key);
  out += ':';
  append_string(out, value);
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
  });
}

void append_text(std::string& out, const LogField& field) {
  out += ' ';
  out += field.key();
  out += '=';
  const auto* text = std::get_if<std::string_view>(&field.value());
  if (text != nullptr && is_word(*text) && text->size() <= kLongestValue) {
    out += *text;
  } else {
    std::visit(AppendJson{out}, field.value());
  }
}

}  // namespace

std::string json_line(const LogEvent& event, LogFields fields) {
  std::string out = fmt::format(R"({{"ts":"{}","level":"{}","msg":)", base::to_rfc3339(event.time),
                                kLevels.at(static_cast<std::size_t>(event.level)));
  append_string(out, event.message);
  append_member(out, "component", event.component);
  append_member(out, "node", event.node);
  append_member(out, "trace_id", event.trace_id);
  for (const LogField& field : fields) {
    const bool reserved =
        std::find(kReserved.begin(), kReserved.end(), field.key()) != kReserved.end();
    out += ',';
    append_string(out, reserved ? std::string(field.key()) + "_" : std::string(field.key()));
    out += ':';
    std::visit(AppendJson{out}, field.value());
  }
  if (event.suppressed != 0) out += fmt::format(",\"suppressed\":{}", event.suppressed);
  out += '}';
  return out;
}

std::string text_line(const LogEvent& event, LogFields fields) {
  std::string out = fmt::format("{} {:<5} ", base::to_rfc3339(event.time),
                                kLevels.at(static_cast<std::size_t>(event.level)));
  if (!event.component.empty()) out += fmt::format("{}: ", event.component);
  std::string message = safe(event.message);
  std::replace(message.begin(), message.end(), '\n', ' ');
  out += message;
  for (const LogField& field : fields) append_text(out, field);
  if (!event.trace_id.empty()) append_text(out, {"trace_id", event.trace_id});
  if (event.suppressed != 0) append_text(out, {"suppressed", event.suppressed});
  return out;
}

}  // namespace notify::telemetry
