// Runs the service's flows in a world of fakes and virtual time, once for each seed. Prints each
// seed that fails with what was wrong, and in the end what was covered.

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>

#include "sim/checks.hpp"

namespace notify::sim {
namespace {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  std::uint64_t failures_max = 5;
  bool verbose = false;
  std::string trace;
};

/// The faults of a run, and what became of the notification asked for.
void tell(const World& world, const Options& options) {
  const base::WallTime start = fakes::ManualClock().now();
  const auto ms = [start](base::WallTime at) {
    return static_cast<long long>((at - start).count());
  };
  for (const FaultWindow& window : world.faults()) {
    std::printf("  %8lld to %lld ms  %s\n", ms(window.from), ms(window.until), name(window.fault));
  }
  if (options.trace.empty()) return;
  using Kind = fakes::Journal::Kind;
  for (const fakes::Journal::Entry& e : world.journal().entries) {
    if (e.kind != Kind::epoch && e.notification.to_string() != options.trace) continue;
    const char* const what = e.kind == Kind::entered     ? "entered the queue"
                             : e.kind == Kind::leased    ? "leased"
                             : e.kind == Kind::postponed ? "postponed"
                             : e.kind == Kind::put_back  ? "put back"
                             : e.kind == Kind::epoch     ? "an epoch begins"
                             : e.kind == Kind::sent      ? "sent"
                                                         : "recorded";
    std::printf("  %8lld ms  node %d: %s%s\n", ms(e.at), e.node, what,
                e.is_suspect ? " as a suspect" : "");
  }
}

/// What all runs together have seen.
struct Coverage {
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;
  std::size_t notifications = 0;
  std::size_t crashes = 0;
  std::size_t epochs = 0;
  std::size_t sends = 0;
  std::size_t repeats = 0;
  std::size_t superseded = 0;
  std::array<std::size_t, kFaults> faults{};
};

/// Every tenth run has no faults at all: there nothing has an excuse.
WorldOptions world_options(std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.nodes = 3 + seed % 3;
  options.has_faults = seed % 10 != 0;
  if (seed % 4 == 3) {  // machines with several workers
    options.workers = 2 + seed % 2;
    options.nodes = 3 * options.workers;
  }
  options.is_left_alone = seed % 25 == 7;
  return options;
}

void run_one(std::uint64_t seed, const Options& options, Coverage& coverage) {
  World world(world_options(seed));
  const bool is_over = world.run();
  const std::vector<std::string> wrongs = check(world, is_over);
  ++coverage.runs;
  coverage.notifications += world.outside().table.rows.size();
  coverage.crashes += world.crashes();
  coverage.epochs += world.outside().books.epochs_begun;
  coverage.sends += world.outside().apple.received.size();
  coverage.repeats += repeats(world);
  for (const auto& [id, row] : world.outside().table.rows) {
    if (row.record.status == rules::Status::superseded) ++coverage.superseded;
  }
  for (const FaultWindow& window : world.faults()) {
    ++coverage.faults.at(static_cast<std::size_t>(window.fault));
  }
  if (options.verbose) tell(world, options);
  if (wrongs.empty()) return;
  ++coverage.failures;
  std::printf("seed %llu failed; again: notify-sim --first %llu --seeds 1 --verbose\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
  for (const std::string& what : wrongs) std::printf("  %s\n", what.c_str());
  // A world that does not come to an end cannot be taken down either: it aborts.
  std::fflush(stdout);
}

void print(const Coverage& c) {
  std::printf(
      "%llu runs, %llu failed: %zu notifications, %zu sends, %zu repeats, %zu crashes, "
      "%zu epochs, %zu spoken for by others\n",
      static_cast<unsigned long long>(c.runs), static_cast<unsigned long long>(c.failures),
      c.notifications, c.sends, c.repeats, c.crashes, c.epochs, c.superseded);
  for (std::size_t i = 0; i < kFaults; ++i) {
    std::printf("  %-18s %zu\n", name(static_cast<Fault>(i)), c.faults[i]);
  }
}

int run(const Options& options) {
  Coverage coverage;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    run_one(seed, options, coverage);
    if (coverage.failures >= options.failures_max) break;
  }
  print(coverage);
  return coverage.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace notify::sim

int main(int argc, char** argv) {
  notify::sim::Options options;
  CLI::App app("Simulates accepting, delivering and recovering, with faults from a seed");
  app.add_option("--first", options.first, "The first seed")->capture_default_str();
  app.add_option("--seeds", options.seeds, "How many, from there on")->capture_default_str();
  app.add_option("--failures", options.failures_max, "Stop after so many")->capture_default_str();
  app.add_flag("--verbose", options.verbose, "Print the faults of each run");
  app.add_option("--trace", options.trace,
                 "With --verbose: print what became of this notification");
  CLI11_PARSE(app, argc, argv);
  return notify::sim::run(options);
}
