#pragma once
// The trace a request belongs to, as it comes in and goes out in headers. The mesh makes the spans,
// but only the service can tie what goes out to what came in.
// Source: W3C Trace Context, https://www.w3.org/TR/trace-context/; B3, openzipkin/b3-propagation.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/rng.hpp"

namespace notify::telemetry {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  bool sampled = false;
  std::string tracestate;  ///< forwarded as it came; printable ASCII of at most 512 characters

  [[nodiscard]] std::string trace_id_hex() const;
  [[nodiscard]] std::string span_id_hex() const;
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// A new trace, sampled. Threading: that of `rng`.
[[nodiscard]] TraceContext new_trace(base::Rng& rng);

/// The same trace with a new span id: for a call that we make.
[[nodiscard]] TraceContext child_of(const TraceContext& parent, base::Rng& rng);

/// Errors: nullopt if the header is invalid: all of it is then to be ignored.
[[nodiscard]] std::optional<TraceContext> parse_traceparent(std::string_view header);
[[nodiscard]] std::string format_traceparent(const TraceContext& context);

/// The single `b3` header. A bare sampling decision ("0") carries no ids and is no context.
[[nodiscard]] std::optional<TraceContext> parse_b3(std::string_view header);
[[nodiscard]] std::string format_b3(const TraceContext& context);

struct B3Headers {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view sampled;
  std::string_view flags;
};
[[nodiscard]] std::optional<TraceContext> parse_b3(const B3Headers& headers);

/// The value of a header by its name in lower case; empty if there is none.
using HeaderLookup = std::function<std::string_view(std::string_view name)>;

/// The context of an inbound request: traceparent (with tracestate), b3, x-b3-*; else a new trace.
[[nodiscard]] TraceContext extract(const HeaderLookup& header, base::Rng& rng);

}  // namespace notify::telemetry
