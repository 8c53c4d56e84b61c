#pragma once
// Structured logs: one line an event, with a constant message and named values. JSON for machines,
// text for people. There is no global logger; who logs is given a Log.
//
//   log.warn("the provider refused", {{"notification_id", id.to_string()}, {"status", 429}});

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/strong_id.hpp"
#include "config/types.hpp"
#include "telemetry/trace.hpp"

namespace notify::telemetry {

using Level = config::LogLevel;

/// A named value, valid as long as the statement that logs it.
/// Units: a duration is written in milliseconds; let its name end in _ms.
class LogField {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  LogField(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  LogField(std::string_view key, const std::string& value)
      : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, const char* value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, std::same_as<bool> auto value) : key_(key), value_(value) {}
  LogField(std::string_view key, std::signed_integral auto value)
      : key_(key), value_(std::int64_t{value}) {}
  LogField(std::string_view key, std::unsigned_integral auto value)
    requires(!std::same_as<decltype(value), bool>)
      : key_(key), value_(std::uint64_t{value}) {}
  LogField(std::string_view key, double value) : key_(key), value_(value) {}
  template <class Rep, class Period>
  LogField(std::string_view key, std::chrono::duration<Rep, Period> value)
      : LogField(key, std::chrono::duration<double, std::milli>(value).count()) {}
  LogField(std::string_view key, base::Errc value) : LogField(key, base::name(value)) {}

  /// What must not be in a log does not compile: a user is Log::redact_user(id).
  LogField(std::string_view key, const base::Secret& value) = delete;
  LogField(std::string_view key, const base::UserId& value) = delete;
  LogField(std::string_view key, const config::Url& value) = delete;

  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] const Value& value() const { return value_; }

 private:
  std::string_view key_;
  Value value_;
};

using LogFields = std::initializer_list<LogField>;

struct LogOptions {
  Level level = Level::info;
  config::LogFormat format = config::LogFormat::json;
  std::string node;                  ///< in every line, if not empty
  unsigned repeats_per_second = 20;  ///< lines of one component with one message; 0: no limit
  base::Secret user_key;             ///< of redact_user; empty: random
};

/// Where the lines go, and what all loggers share.
/// Threading: any.
/// Lifetime:  outlives every Log made of it; `clock` and `stream` outlive this.
/// Limits:    a value is cut after 2048 bytes. Of the same message of a component only
///            repeats_per_second lines are written; the next one tells how many were left out, and
///            flush() tells it of those that had no next.
class LogOutput {
 public:
  /// To standard error.
  LogOutput(LogOptions options, const base::Clock& clock);
  /// To `stream`.
  LogOutput(LogOptions options, const base::Clock& clock, std::ostream& stream);
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;
  ~LogOutput();

  void set_level(Level level);
  void flush();

 private:
  friend class Log;
  struct State;
  std::unique_ptr<State> state_;
};

/// A cheap copyable handle with the component and the trace of its lines.
/// Threading: any.
/// Errors:    never throws because of what is logged; a line that cannot be written is lost.
class Log {
 public:
  explicit Log(LogOutput& output, std::string component = "")
      : output_(&output), component_(std::move(component)) {}

  [[nodiscard]] Log component(std::string name) const;
  [[nodiscard]] Log traced(const TraceContext& context) const;

  void trace(std::string_view message, LogFields fields = {}) const;
  void debug(std::string_view message, LogFields fields = {}) const;
  void info(std::string_view message, LogFields fields = {}) const;
  void warn(std::string_view message, LogFields fields = {}) const;
  void error(std::string_view message, LogFields fields = {}) const;
  void write(Level level, std::string_view message, LogFields fields) const;

  /// Whether write() would look at its arguments: for values that are costly to make.
  [[nodiscard]] bool enabled(Level level) const;

  /// The word that stands for a user; see Redactor.
  [[nodiscard]] std::string redact_user(const base::UserId& id) const;

 private:
  LogOutput* output_;
  std::string component_;
  std::string trace_id_;
};

}  // namespace notify::telemetry
