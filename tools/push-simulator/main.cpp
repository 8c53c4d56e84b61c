// push-simulator: see README.md.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "push-simulator/files.hpp"
#include "push-simulator/report.hpp"
#include "push-simulator/simulator.hpp"

namespace {

namespace asio = boost::asio;
namespace sim = notify::simulator;
using notify::async::Task;
using notify::base::Expected;
using notify::base::fail;

Expected<void> announce(const sim::Options& options, const sim::Ports& ports) {
  const nlohmann::json json{{"apns", ports.apns},       {"fcm", ports.fcm},
                            {"webpush", ports.webpush}, {"browser", ports.browser},
                            {"expired", ports.expired}, {"auth", ports.auth},
                            {"control", ports.control}};
  auto written = sim::replace_file(options.state_dir / "ports.json", json.dump() + "\n",
                                   sim::FileMode::world_readable);
  if (!written) return written;
  std::cout << "push-simulator ready: apns=" << ports.apns << " fcm=" << ports.fcm
            << " webpush=" << ports.webpush << " browser=" << ports.browser
            << " expired=" << ports.expired << " auth=" << ports.auth
            << " control=" << ports.control << " state-dir=" << options.state_dir.string()
            << std::endl;
  return {};
}

/// Runs until SIGTERM or SIGINT, then stops all parts; the io_context runs out of work after that.
Task<void> live(sim::Simulator& simulator, asio::signal_set& signals) {
  co_await signals.async_wait(asio::as_tuple(notify::async::kUseAwaitable));
  co_await simulator.stop();
}

Expected<void> run(const sim::Options& options) {
  std::error_code failure;
  std::filesystem::create_directories(options.state_dir, failure);
  if (failure) {
    return fail(notify::base::Errc::unavailable,
                options.state_dir.string() + " cannot be made: " + failure.message());
  }
  std::filesystem::remove(options.state_dir / "ports.json", failure);  // of an earlier run

  auto key = sim::load_or_make_key(options.apns_key_file);
  if (!key) return fail(key.error());
  const auto identity =
      sim::load_or_make_identity(options.state_dir, notify::base::SystemClock().now());
  if (!identity) return fail(identity.error());
  std::optional<sim::ReceivedLog> log;
  if (options.detail == sim::Detail::full) {
    auto opened = sim::ReceivedLog::open(options.state_dir / "received.jsonl");
    if (!opened) return fail(opened.error());
    log.emplace(*std::move(opened));
  }

  asio::io_context context(1);
  asio::signal_set signals(context, SIGTERM, SIGINT);
  sim::Simulator simulator(context, options, *std::move(key), std::move(log));
  const auto ports = simulator.start(*identity);
  Expected<void> announced;
  if (ports) announced = announce(options, *ports);
  notify::async::TaskGroup life(context.get_executor(), sim::report_escape);
  const bool started = ports && announced;
  life.spawn(started ? live(simulator, signals) : simulator.stop());
  context.run();
  if (!ports) return fail(ports.error());
  return announced;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto parsed = sim::parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  try {
    if (const auto done = run(*parsed.options); !done) {
      std::cerr << "push-simulator: " << done.error().detail << std::endl;
      return 1;
    }
  } catch (const std::exception& error) {
    std::cerr << "push-simulator: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
