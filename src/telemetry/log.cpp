#include "telemetry/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <atomic>
#include <mutex>

#include "telemetry/log_limiter.hpp"
#include "telemetry/log_line.hpp"
#include "telemetry/redact.hpp"

namespace notify::telemetry {

struct LogOutput::State {
  State(LogOptions given, const base::Clock& given_clock, spdlog::sink_ptr sink)
      : options(std::move(given)),
        clock(given_clock),
        redactor(options.user_key),
        level(options.level),
        limiter(options.repeats_per_second),
        logger("notification", std::move(sink)) {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    // A full disk must not turn into more lines about the full disk.
    logger.set_error_handler([](const std::string&) {});
  }

  void write(const LogEvent& event, LogFields fields) {
    const std::string line = options.format == config::LogFormat::json ? json_line(event, fields)
                                                                       : text_line(event, fields);
    logger.log(spdlog::level::info, spdlog::string_view_t(line));
    if (event.level >= Level::warn) logger.flush();
  }

  LogOptions options;
  const base::Clock& clock;
  Redactor redactor;
  std::atomic<Level> level;
  std::mutex limiter_mutex;
  LogLimiter limiter;
  spdlog::logger logger;
};

LogOutput::LogOutput(LogOptions options, const base::Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock,
                                     std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}

LogOutput::LogOutput(LogOptions options, const base::Clock& clock, std::ostream& stream)
    : state_(std::make_unique<State>(std::move(options), clock,
                                     std::make_shared<spdlog::sinks::ostream_sink_mt>(stream))) {}

LogOutput::~LogOutput() { flush(); }

void LogOutput::set_level(Level level) { state_->level = level; }

void LogOutput::flush() {
  std::vector<LogLimiter::Rest> rest;
  {
    const std::lock_guard lock(state_->limiter_mutex);
    rest = state_->limiter.take_rest();
  }
  for (const LogLimiter::Rest& entry : rest) {
    const LogEvent event{.time = state_->clock.now(),
                         .level = Level::warn,
                         .message = "lines were left out",
                         .component = "log",
                         .node = state_->options.node,
                         .suppressed = entry.suppressed};
    state_->write(event, {{"message", entry.key}});
  }
  state_->logger.flush();
}

Log Log::component(std::string name) const {
  Log log = *this;
  log.component_ = std::move(name);
  return log;
}

Log Log::traced(const TraceContext& context) const {
  Log log = *this;
  log.trace_id_ = context.trace_id_hex();
  return log;
}

bool Log::enabled(Level level) const { return level >= output_->state_->level; }

void Log::write(Level level, std::string_view message, LogFields fields) const {
  if (!enabled(level)) return;
  LogOutput::State& state = *output_->state_;
  LogLimiter::Verdict verdict;
  {
    std::string key = component_;
    key.append(": ").append(message);
    const std::lock_guard lock(state.limiter_mutex);
    verdict = state.limiter.ask(key, state.clock.steady_now());
  }
  if (!verdict.write) return;
  state.write({.time = state.clock.now(),
               .level = level,
               .message = message,
               .component = component_,
               .node = state.options.node,
               .trace_id = trace_id_,
               .suppressed = verdict.suppressed},
              fields);
}

void Log::trace(std::string_view m, LogFields f) const { write(Level::trace, m, f); }
void Log::debug(std::string_view m, LogFields f) const { write(Level::debug, m, f); }
void Log::info(std::string_view m, LogFields f) const { write(Level::info, m, f); }
void Log::warn(std::string_view m, LogFields f) const { write(Level::warn, m, f); }
void Log::error(std::string_view m, LogFields f) const { write(Level::error, m, f); }

std::string Log::redact_user(const base::UserId& id) const {
  return output_->state_->redactor.user(id);
}

}  // namespace notify::telemetry
