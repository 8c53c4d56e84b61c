#pragma once
// The command line of notification-bench.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace notify::bench {

enum class Mode : std::uint8_t { unary, batch, stream };

struct LoadOptions {
  std::string target;  ///< host:port
  Mode mode = Mode::unary;
  double rate = 0;              ///< notifications a second, open loop; 0: closed loop
  std::size_t in_flight = 200;  ///< notifications, closed loop; in an open loop there is no bound
  std::chrono::milliseconds duration{10'000};
  std::uint64_t count_max = 0;  ///< ends earlier, after as many notifications; 0: no
  std::uint32_t users = 100'000;
  std::uint32_t seed = 0;
  std::size_t channels = 4;
  std::size_t items = 1;      ///< notifications in a call, or in a message of a stream
  std::size_t window = 2048;  ///< unanswered notifications of a stream
  std::string template_name;  ///< of which the texts are made; empty: they are in the request
};

struct EmptyServerOptions {
  std::string listen = "127.0.0.1:0";
};

enum class LedgerPhase : std::uint8_t { append, record };

struct LedgerOptions {
  std::string url;
  LedgerPhase phase = LedgerPhase::append;
  std::size_t rows = 100'000;
  std::size_t batch = 100;
  std::int64_t first_ms = 0;  ///< Unix time of the first row
  std::uint32_t seed = 1;
};

struct QueueScriptOptions {
  std::string name;
};

struct DecidingOptions {
  std::uint32_t users = 100'000;
};

struct SettingsReadOptions {
  std::string postgres;
  std::string redis;
  std::size_t users = 20'000;                ///< with settings, and as many without
  std::chrono::milliseconds duration{2000};  ///< of each measurement
};

/// Exactly one subcommand is set, unless the program is to leave with `exit_code`.
struct Options {
  std::optional<LoadOptions> load;
  std::optional<EmptyServerOptions> empty_server;
  std::optional<LedgerOptions> ledger;
  std::optional<QueueScriptOptions> queue_script;
  std::optional<DecidingOptions> deciding;
  std::optional<SettingsReadOptions> settings_reads;
  int exit_code = 0;
};

/// Prints the help, or what is wrong with the arguments (exit code 2).
[[nodiscard]] Options parse_options(int argc, char** argv);

}  // namespace notify::bench
