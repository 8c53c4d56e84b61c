#include "edges/cli/admin_commands.hpp"

#include <iostream>

namespace notify::edges {
namespace {

void add_filter(CLI::App* command, DeadLetterOptions& letters) {
  command->add_option("--from", letters.from,
                      "Accepted at or after: 2026-11-22T23:54:25Z, or how long ago, as in 2h; 24h "
                      "ago if not given");
  command->add_option("--to", letters.to, "Accepted before; in the same forms; now if not given");
  command->add_option("--provider", letters.provider,
                      "The push service that refused it: apns, fcm or webpush");
  command->add_option("--error", letters.error_code,
                      "What it said, exactly as `dead-letters list` shows it: \"400 BadTopic\"");
  command->add_option("--user", letters.user_id, "The user's id, a UUID");
  command->add_option("--type", letters.type, "The notification's type: message");
  command->add_option("--id", letters.notification_id,
                      "One notification's id; without --from, --to");
}

void say(const std::string& line) { std::cout << line << std::endl; }

/// No answer is a no.
bool confirm() {
  say("Replay them? Type yes:");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

}  // namespace

AdminCommands::AdminCommands(CLI::App& cli) {
  DeadLetterOptions& letters = options_.letters;
  CLI::App* dead_letters =
      cli.add_subcommand("dead-letters", "Notifications that failed: no device was left to try");
  dead_letters->require_subcommand(1);
  list_ = dead_letters->add_subcommand("list", "List those that fit, oldest first");
  add_service_options(list_, letters.service);
  add_filter(list_, letters);
  list_->add_option("--limit", letters.limit, "How many to list at most")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  show_ = dead_letters->add_subcommand("show", "Show one with its attempts, and how to replay it");
  add_service_options(show_, letters.service);
  show_->add_option("id", letters.notification_id, "The notification's id")->required();

  replay_ = cli.add_subcommand("replay", "Have dead letters sent again");
  add_service_options(replay_, letters.service);
  add_filter(replay_, letters);
  replay_->add_flag("--dry-run", options_.dry_run, "Only count them");
  replay_->add_option(
      "--extend", options_.extend,
      "Send also what has expired: so long from now it is worth delivering, as in 2h");
  replay_->add_option("--rate", options_.rate, "How many are sent in a second")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  replay_->add_option("--actor", options_.actor, "Who asks, for the audit; $USER if not given")
      ->envname("USER")
      ->required();
  replay_->add_option("--reason", options_.reason, "Why, for the audit");
  replay_->add_flag("--yes", options_.yes, "Do not count first and ask");
}

bool AdminCommands::parsed() const {
  return list_->parsed() || show_->parsed() || replay_->parsed();
}

base::Expected<void> AdminCommands::run() const {
  if (list_->parsed()) return list_dead_letters(options_.letters, say);
  if (show_->parsed()) return show_dead_letter(options_.letters, say);
  return replay(options_, say, confirm);
}

}  // namespace notify::edges
