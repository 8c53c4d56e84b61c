#include "app/migrate.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "app/run_once.hpp"

extern char** environ;  // NOLINT: POSIX names it so

namespace notify::app {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

/// Any number that no other program of the database uses: "notify" in ASCII.
constexpr pg::Statement kTryLock = {"migrate_lock",
                                    "SELECT pg_try_advisory_lock(x'6e6f74696679'::bigint)"};

/// Tried, not waited for: a session that waits in pg_advisory_lock holds a snapshot, and makes the
/// other's CREATE INDEX CONCURRENTLY wait for it for ever.
async::Task<Expected<void>> take_lock(pg::Pool& pool, async::Timers& timers) {
  const base::Deadline deadline = timers.after(std::chrono::minutes(5));
  while (!deadline.passed(timers.clock().steady_now())) {
    const auto result = co_await pool.query({kTryLock, {}}, timers.after(std::chrono::seconds(10)));
    if (!result) co_return fail(result.error().error);
    const auto taken = result->boolean(0, 0);
    if (taken && *taken) co_return Expected<void>();
    co_await timers.sleep_for(std::chrono::milliseconds(500));
  }
  co_return fail(Errc::timed_out, "another migration has held the lock for five minutes");
}

/// The environment of sqitch: ours, with what it insists on, and the password.
std::vector<std::string> sqitch_environment(const std::string& password) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  variables.emplace_back("SQITCH_FULLNAME=notification-service");
  variables.emplace_back("SQITCH_EMAIL=notification-service@localhost");
  variables.emplace_back("SQITCH_USER_CONFIG=/dev/null");
  if (!password.empty()) variables.emplace_back("SQITCH_PASSWORD=" + password);
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Expected<void> run_sqitch(const SqitchTarget& target, const std::string& plan_directory) {
  std::vector<std::string> words = {"sqitch",   "--chdir",  plan_directory, "deploy",
                                    "--verify", "--target", target.uri};
  std::vector<std::string> variables = sqitch_environment(target.password);
  pid_t child = 0;
  const int error = posix_spawnp(&child, "sqitch", nullptr, nullptr, pointers_to(words).data(),
                                 pointers_to(variables).data());
  if (error != 0) {
    return fail(Errc::invalid, std::string("sqitch cannot be started: ") + std::strerror(error) +
                                   "; is the package sqitch installed?");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(Errc::invalid, "sqitch failed: its output above says why");
}

/// The lock belongs to the session: it ends with this task. sqitch runs in between, and as this
/// thread has nothing else to do, it may block.
async::Task<Expected<void>> migrate_locked(pg::Pool& pool, async::Timers& timers,
                                           const SqitchTarget& target,
                                           const std::string& plan_directory) {
  const auto locked = co_await take_lock(pool, timers);
  if (!locked) co_return fail(locked.error());
  co_return run_sqitch(target, plan_directory);
}

}  // namespace

Expected<SqitchTarget> sqitch_target(std::string_view postgres_url) {
  const std::size_t scheme_end = postgres_url.find("://");
  const std::string_view scheme = postgres_url.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || (scheme != "postgresql" && scheme != "postgres")) {
    return fail(Errc::invalid, "postgres.url must begin with postgresql://");
  }
  std::string_view rest = postgres_url.substr(scheme_end + 3);
  SqitchTarget target;
  std::string user;
  const std::size_t at = rest.substr(0, rest.find_first_of("/?")).rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view credentials = rest.substr(0, at);
    const std::size_t colon = credentials.find(':');
    user = credentials.substr(0, colon);
    if (colon != std::string_view::npos) target.password = credentials.substr(colon + 1);
    rest.remove_prefix(at + 1);
  }
  target.uri = "db:pg://" + (user.empty() ? std::string() : user + '@') + std::string(rest);
  return target;
}

Expected<void> migrate(const config::Config& config, const std::string& plan_directory) {
  const auto target = sqitch_target(config.postgres.url.reveal());
  if (!target) return fail(target.error());
  return run_with_database(config, [&](pg::Pool& pool, async::Timers& timers) {
    return migrate_locked(pool, timers, *target, plan_directory);
  });
}

}  // namespace notify::app
