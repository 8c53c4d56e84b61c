// notification-bench: see README.md.

#include <iostream>

#include "in_process/deciding.hpp"
#include "load_generator/load.hpp"
#include "load_generator/options.hpp"
#include "net/grpc/runtime.hpp"
#include "raw/empty_server.hpp"
#include "raw/ledger.hpp"
#include "raw/queue_script.hpp"
#include "raw/settings_reads.hpp"

namespace {

namespace bench = notify::bench;

std::string run(const bench::Options& options) {
  const notify::base::SystemClock clock;
  if (options.load) {
    return options.load->mode == bench::Mode::stream ? run_streams(*options.load, clock)
                                                     : run_calls(*options.load, clock);
  }
  if (options.ledger) return bench::write_ledger(*options.ledger, clock);
  if (options.deciding) return bench::measure_deciding(*options.deciding, clock);
  if (options.queue_script) return bench::queue_script(options.queue_script->name);
  if (options.settings_reads) return bench::read_settings(*options.settings_reads);
  bench::serve_empty(*options.empty_server);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  notify::net::prepare_grpc();
  const bench::Options options = bench::parse_options(argc, argv);
  if (!options.load && !options.ledger && !options.queue_script && !options.deciding &&
      !options.settings_reads && !options.empty_server) {
    return options.exit_code;
  }
  try {
    std::cout << run(options) << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "notification-bench: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
