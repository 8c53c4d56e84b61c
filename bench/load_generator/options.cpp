#include "load_generator/options.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace notify::bench {
namespace {

constexpr int kBadArguments = 2;

CLI::App* declare_load(CLI::App& app, LoadOptions& load, double& seconds) {
  static const std::map<std::string, Mode> kModes{
      {"unary", Mode::unary}, {"batch", Mode::batch}, {"stream", Mode::stream}};
  CLI::App* command = app.add_subcommand("load", "Sends notifications and measures the answers");
  command->add_option("--target", load.target, "host:port of the service")->required();
  command->add_option("--mode", load.mode, "unary, batch or stream")
      ->transform(CLI::CheckedTransformer(kModes));
  auto* rate = command
                   ->add_option("--rate", load.rate,
                                "Open loop: notifications a second, at instants fixed beforehand")
                   ->check(CLI::PositiveNumber);
  command
      ->add_option("--in-flight", load.in_flight, "Closed loop: notifications unanswered at a time")
      ->check(CLI::PositiveNumber)
      ->excludes(rate)
      ->capture_default_str();
  command->add_option("--seconds", seconds, "How long to send")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--count", load.count_max, "Ends earlier, after as many notifications");
  command->add_option("--users", load.users, "Notifications go to so many users in turn")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", load.seed,
                      "Of the users, as in push-simulator's /devices/generate");
  command->add_option("--channels", load.channels, "Connections; in mode stream also streams")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--items", load.items, "Notifications in a call or in a stream's message")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--window", load.window, "Unanswered notifications of a stream")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--template", load.template_name,
                      "Requests name this template, with its variables `sender_name` and "
                      "`message_preview`, instead of texts");
  return command;
}

CLI::App* declare_ledger(CLI::App& app, LedgerOptions& ledger) {
  static const std::map<std::string, LedgerPhase> kPhases{{"append", LedgerPhase::append},
                                                          {"record", LedgerPhase::record}};
  CLI::App* command = app.add_subcommand(
      "ledger", "Raw block: writes rows with the service's statements in a loop over libpq");
  command->add_option("--url", ledger.url, "The database, in libpq's form")->required();
  command
      ->add_option("--phase", ledger.phase,
                   "append: what accept writes; record: what deliver writes for the same rows")
      ->transform(CLI::CheckedTransformer(kPhases));
  command->add_option("--rows", ledger.rows)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--batch", ledger.batch)->check(CLI::Range(1, 5000))->capture_default_str();
  command->add_option("--first-ms", ledger.first_ms, "Unix time of the first row in milliseconds")
      ->required();
  command->add_option("--seed", ledger.seed, "Of the ids")->capture_default_str();
  return command;
}

CLI::App* declare_settings_reads(CLI::App& app, SettingsReadOptions& reads) {
  CLI::App* command = app.add_subcommand(
      "settings-reads", "What reading users' settings costs, from PostgreSQL and from Redis");
  command->add_option("--postgres", reads.postgres, "The database, in libpq's form")->required();
  command->add_option("--redis", reads.redis, "As redis.url")->required();
  command->add_option("--users", reads.users)
      ->check(CLI::Range(1000, 1'000'000))
      ->capture_default_str();
  return command;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  CLI::App app("The benchmark's load generator and its raw blocks; ./dev bench runs it.",
               "notification-bench");
  app.require_subcommand(1);
  Options options;
  LoadOptions load;
  EmptyServerOptions empty_server;
  LedgerOptions ledger;
  QueueScriptOptions script;
  DecidingOptions deciding;
  SettingsReadOptions settings_reads;
  double seconds = 10;
  const CLI::App* load_command = declare_load(app, load, seconds);
  CLI::App* server_command = app.add_subcommand(
      "empty-server", "Raw block: the same API with handlers that do nothing; prints its port");
  server_command->add_option("--listen", empty_server.listen)->capture_default_str();
  const CLI::App* ledger_command = declare_ledger(app, ledger);
  CLI::App* script_command =
      app.add_subcommand("queue-script", "Prints one of the queue's Lua scripts");
  script_command->add_option("name", script.name)
      ->required()
      ->check(CLI::IsMember({"enqueue", "lease", "ack"}));
  CLI::App* deciding_command =
      app.add_subcommand("deciding", "Measures a decision, and the settings cache, in one thread");
  deciding_command->add_option("--users", deciding.users, "In the cache")
      ->check(CLI::Range(1'000, 1'000'000))
      ->capture_default_str();
  const CLI::App* settings_command = declare_settings_reads(app, settings_reads);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    options.exit_code = app.exit(error) == 0 ? 0 : kBadArguments;
    return options;
  }
  load.duration = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  if (load_command->parsed()) options.load = load;
  if (server_command->parsed()) options.empty_server = empty_server;
  if (ledger_command->parsed()) options.ledger = ledger;
  if (script_command->parsed()) options.queue_script = script;
  if (deciding_command->parsed()) options.deciding = deciding;
  if (settings_command->parsed()) options.settings_reads = settings_reads;
  return options;
}

}  // namespace notify::bench
