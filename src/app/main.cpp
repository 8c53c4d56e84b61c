// The command line of notification-service.

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/conformance.hpp"
#include "app/explain.hpp"
#include "app/migrate.hpp"
#include "app/serve.hpp"
#include "config/load.hpp"
#include "config/show.hpp"
#include "edges/cli/admin_commands.hpp"
#include "edges/cli/cancel.hpp"
#include "edges/cli/send.hpp"

namespace {

namespace app = notify::app;
namespace base = notify::base;
namespace config = notify::config;
namespace edges = notify::edges;

constexpr int kFailed = 1;
constexpr int kUsage = 2;  // bad arguments or configuration

int report(const base::Error& error) {
  std::cerr << "notification-service: " << error.detail << '\n';
  return kFailed;
}

std::optional<config::Config> load(const std::string& file) {
  config::LoadOptions options;
  options.environment = config::process_environment();
  const auto variable = options.environment.find("NOTIFY_CONFIG");
  if (!file.empty()) {
    options.file = file;
  } else if (variable != options.environment.end() && !variable->second.empty()) {
    options.file = variable->second;
  }
  options.other_names = {"NOTIFY_CONFIG"};
  auto loaded = config::load(options);
  config::Problems problems;
  if (loaded) {
    problems = config::check(*loaded);
  } else {
    problems = loaded.error();
  }
  for (const config::Problem& problem : problems) {
    std::cerr << config::to_string(problem) << '\n';
  }
  if (!problems.empty()) return std::nullopt;
  return std::move(*loaded);
}

/// The options of all subcommands, and what was chosen.
struct Arguments {
  std::string config_file;
  std::string ports_file;
  std::string plan_directory = NOTIFY_DB_DIRECTORY;
  app::ExplainOptions explain;
  edges::SendOptions send;
  std::vector<std::string> targets;
  std::string expired_target;
  edges::CancelOptions cancel;
};

void add_config_option(CLI::App* command, Arguments& arguments) {
  command
      ->add_option("--config", arguments.config_file,
                   "The YAML file; otherwise $NOTIFY_CONFIG, if set")
      ->check(CLI::ExistingFile);
}

void add_send_options(CLI::App* command, edges::SendOptions& send) {
  edges::add_service_options(command, send.service);
  command->add_option("--user", send.user_id, "The user's id, a UUID")->required();
  command->add_option("--title", send.title)->required();
  command->add_option("--body", send.body);
  command->add_option("--type", send.type)->capture_default_str();
  command->add_option("--conversation", send.conversation_id, "The conversation's id, a UUID");
  command->add_option("--priority", send.priority)
      ->check(CLI::IsMember({"high", "medium", "low"}))
      ->capture_default_str();
  command->add_option("--ttl", send.ttl, "Seconds until it is not worth delivering any more");
}

void add_explain_options(CLI::App* command, app::ExplainOptions& options) {
  auto* what = command->add_option_group("what");
  what->add_option("id", options.id, "The notification's id");
  auto* user = what->add_option("--user", options.user, "List what was accepted for this user");
  auto* what_if = what->add_option(
      "--what-if", options.what_if,
      "Decide about notifications that do not exist, and send nothing: a file of JSON lines, or -");
  what->require_option(1);
  command->add_option("--since", options.since, "With --user: 1h, or 2026-11-22T23:54:25Z")
      ->needs(user)
      ->capture_default_str();
  command->add_flag("--json", options.as_json, "With --what-if: a line of JSON for each")
      ->needs(what_if);
}

void add_conformance_options(CLI::App* command, Arguments& arguments) {
  add_config_option(command, arguments);
  command
      ->add_option("--target", arguments.targets,
                   "SERVICE=https://host:port of a server that plays scripts, as push-simulator "
                   "does; never a real push service. Several are played one after the other")
      ->required();
  command->add_option("--expired", arguments.expired_target,
                      "https://host:port of a server whose certificate has expired");
}

struct Commands {
  CLI::App* serve;
  CLI::App* migrate;
  CLI::App* explain;
  CLI::App* conformance;
  CLI::App* send;
  CLI::App* cancel;
  CLI::App* check;
  CLI::App* show;
};

Commands add_commands(CLI::App& cli, Arguments& arguments) {
  Commands commands{};
  commands.serve = cli.add_subcommand("serve", "Run the service until SIGTERM");
  add_config_option(commands.serve, arguments);
  commands.serve->add_option("--ports-file", arguments.ports_file,
                             "Write the ports that were bound to this file, as JSON, once up");

  commands.migrate = cli.add_subcommand("migrate", "Bring the database's schema up to date");
  add_config_option(commands.migrate, arguments);
  commands.migrate
      ->add_option("--plan-dir", arguments.plan_directory, "The directory with sqitch.plan")
      ->capture_default_str();

  commands.explain = cli.add_subcommand("explain", "Tell what happened to a notification, and why");
  add_config_option(commands.explain, arguments);
  add_explain_options(commands.explain, arguments.explain);

  commands.conformance = cli.add_subcommand(
      "conformance", "Play every answer and fault of a push service against this service");
  add_conformance_options(commands.conformance, arguments);

  commands.send = cli.add_subcommand("send", "Send one notification through a running service");
  add_send_options(commands.send, arguments.send);

  commands.cancel =
      cli.add_subcommand("cancel", "Take notifications back through a running service");
  edges::add_cancel_options(commands.cancel, arguments.cancel);

  CLI::App* configure = cli.add_subcommand("config", "Look at the configuration");
  configure->require_subcommand(1);
  commands.check = configure->add_subcommand("check", "Say everything that is wrong with it");
  add_config_option(commands.check, arguments);
  commands.show = configure->add_subcommand(
      "show", "Print the effective one, with the origin of each value; secrets are masked");
  add_config_option(commands.show, arguments);
  return commands;
}

int dispatch(const Commands& commands, const Arguments& arguments) {
  if (commands.send->parsed()) {
    const auto id = edges::send(arguments.send);
    if (!id) return report(id.error());
    std::cout << *id << '\n';
    return 0;
  }
  if (commands.cancel->parsed()) {
    const auto told = edges::cancel(arguments.cancel);
    if (!told) return report(told.error());
    std::cout << *told;
    return 0;
  }
  const auto configuration = load(arguments.config_file);
  if (!configuration) return kUsage;
  if (commands.check->parsed()) {
    std::cout << "the configuration is good\n";
    return 0;
  }
  if (commands.show->parsed()) {
    std::cout << config::show(*configuration);
    return 0;
  }
  if (commands.conformance->parsed()) {
    auto targets = app::parse_targets(arguments.targets);
    if (!targets) {
      report(targets.error());
      return kUsage;
    }
    targets->expired = arguments.expired_target;
    return app::conformance(*configuration, *targets);
  }
  if (commands.explain->parsed()) return app::explain(*configuration, arguments.explain);
  if (commands.migrate->parsed()) {
    const auto done = app::migrate(*configuration, arguments.plan_directory);
    return done ? 0 : report(done.error());
  }
  std::optional<std::string> ports_file;
  if (!arguments.ports_file.empty()) ports_file = arguments.ports_file;
  return app::serve(*configuration, ports_file);
}

int run(int argc, char** argv) {
  CLI::App cli("Push notifications: decides, records, delivers, explains.", "notification-service");
  cli.require_subcommand(0, 1);  // none is checked below: so a misspelt one is named in the error
  cli.set_version_flag("--version", NOTIFY_VERSION);
  Arguments arguments;
  const Commands commands = add_commands(cli, arguments);
  const edges::AdminCommands admin(cli);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" that exit with 0; CLI11's codes for the others mean nothing.
    return cli.exit(error) == 0 ? 0 : kUsage;
  }
  if (cli.get_subcommands().empty()) {
    std::cerr << "A subcommand is required\n" << cli.help();
    return kUsage;
  }
  if (admin.parsed()) {
    const auto done = admin.run();
    if (done) return 0;
    const int status = report(done.error());
    return done.error().code == base::Errc::invalid ? kUsage : status;
  }
  return dispatch(commands, arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "notification-service: " << error.what() << '\n';
    return kFailed;
  }
}
