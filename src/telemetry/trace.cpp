#include "telemetry/trace.hpp"

#include <algorithm>
#include <span>

#include "base/hex.hpp"

namespace notify::telemetry {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// False unless `text` is exactly the lower-case hexadecimal form of `into`.
bool read_hex(std::string_view text, std::span<std::uint8_t> into) {
  if (text.size() != into.size() * 2) return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    into[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  return base::hex_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool has_ids(const TraceContext& context) {
  return !all_zero(context.trace_id) && !all_zero(context.span_id);
}

/// All-zero ids are invalid, so it draws until one is not.
void draw(base::Rng& rng, std::span<std::uint8_t> into) {
  do {
    for (std::size_t i = 0; i < into.size(); ++i) {
      into[i] = static_cast<std::uint8_t>(rng.next() >> 32);
    }
  } while (all_zero(into));
}

/// B3 trace ids have 64 or 128 bits; the short ones are padded on the left.
bool read_b3_trace_id(std::string_view text, TraceContext& context) {
  if (text.size() == 16) return read_hex(text, std::span(context.trace_id).subspan(8));
  return read_hex(text, context.trace_id);
}

std::string acceptable_tracestate(std::string_view text) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  return printable && text.size() <= 512 ? std::string(text) : "";
}

}  // namespace

std::string TraceContext::trace_id_hex() const { return to_hex(trace_id); }
std::string TraceContext::span_id_hex() const { return to_hex(span_id); }

TraceContext new_trace(base::Rng& rng) {
  TraceContext context;
  draw(rng, context.trace_id);
  draw(rng, context.span_id);
  context.sampled = true;
  return context;
}

TraceContext child_of(const TraceContext& parent, base::Rng& rng) {
  TraceContext child = parent;
  draw(rng, child.span_id);
  return child;
}

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  constexpr std::size_t kVersion0Length = 55;
  if (header.size() < kVersion0Length) return std::nullopt;
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceContext context;
  const bool readable =
      read_hex(header.substr(0, 2), version) && read_hex(header.substr(3, 32), context.trace_id) &&
      read_hex(header.substr(36, 16), context.span_id) && read_hex(header.substr(53, 2), flags);
  if (!readable || version[0] == 0xFF || !has_ids(context)) return std::nullopt;
  // A later version may go on after a dash; version 0 ends here.
  if (header.size() > kVersion0Length && (version[0] == 0 || header[kVersion0Length] != '-')) {
    return std::nullopt;
  }
  context.sampled = (flags[0] & 1) != 0;
  return context;
}

std::string format_traceparent(const TraceContext& context) {
  return "00-" + context.trace_id_hex() + "-" + context.span_id_hex() +
         (context.sampled ? "-01" : "-00");
}

std::optional<TraceContext> parse_b3(const B3Headers& headers) {
  TraceContext context;
  if (!read_b3_trace_id(headers.trace_id, context)) return std::nullopt;
  if (!read_hex(headers.span_id, context.span_id) || !has_ids(context)) return std::nullopt;
  const std::string_view sampled = headers.sampled;
  const bool known = sampled.empty() || sampled == "0" || sampled == "1" || sampled == "d" ||
                     sampled == "true" || sampled == "false";
  if (!known) return std::nullopt;
  // Without a decision it is ours: we sample. Flags of 1 mean debug, which implies sampling.
  context.sampled = headers.flags == "1" || (sampled != "0" && sampled != "false");
  return context;
}

std::optional<TraceContext> parse_b3(std::string_view header) {
  std::array<std::string_view, 4> parts;
  std::size_t count = 0;
  for (std::size_t begin = 0; begin <= header.size() && count < parts.size(); ++count) {
    const std::size_t end = std::min(header.find('-', begin), header.size());
    parts[count] = header.substr(begin, end - begin);
    begin = end + 1;
    if (count == parts.size() - 1 && end != header.size()) return std::nullopt;
  }
  std::array<std::uint8_t, 8> parent{};
  if (!parts[3].empty() && !read_hex(parts[3], parent)) return std::nullopt;
  return parse_b3(B3Headers{parts[0], parts[1], parts[2], ""});
}

std::string format_b3(const TraceContext& context) {
  return context.trace_id_hex() + "-" + context.span_id_hex() + (context.sampled ? "-1" : "-0");
}

TraceContext extract(const HeaderLookup& header, base::Rng& rng) {
  if (auto context = parse_traceparent(header("traceparent"))) {
    context->tracestate = acceptable_tracestate(header("tracestate"));
    return *context;
  }
  if (auto context = parse_b3(header("b3"))) return *context;
  const B3Headers several{header("x-b3-traceid"), header("x-b3-spanid"), header("x-b3-sampled"),
                          header("x-b3-flags")};
  if (auto context = parse_b3(several)) return *context;
  return new_trace(rng);
}

}  // namespace notify::telemetry
