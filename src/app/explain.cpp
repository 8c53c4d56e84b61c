#include "app/explain.hpp"

#include <fstream>
#include <iostream>

#include "app/run_once.hpp"
#include "app/wiring.hpp"
#include "edges/cli/explain.hpp"
#include "edges/cli/times.hpp"
#include "edges/cli/what_if.hpp"
#include "stores/pg_history.hpp"

namespace notify::app {
namespace {

using async::Task;
using base::Expected;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::int32_t kPage = 100;

int complain(const std::string& what, int status) {
  std::cerr << "notification-service: " << what << '\n';
  return status;
}

stores::PgHistory history_in(pg::Pool& pool, const async::Timers& timers,
                             const config::Config& config) {
  return {{.urgent = pool, .heavy = pool}, timers.clock(), config.retention.history};
}

Task<Expected<void>> tell(stores::PgHistory history, async::Timers& timers,
                          base::NotificationId id) {
  const auto story = co_await history.find(id, timers.after(std::chrono::seconds(10)));
  if (!story) co_return base::fail(story.error());
  std::cout << edges::explain(*story, timers.clock().now());
  co_return Expected<void>();
}

/// A line for each of the user's notifications, newest first.
Task<Expected<void>> tell_of_user(stores::PgHistory history, async::Timers& timers,
                                  base::UserId user, base::WallTime since) {
  std::optional<base::NotificationId> before;
  std::size_t count = 0;
  for (bool more = true; more;) {
    const auto records =
        co_await history.list(user, before, kPage, timers.after(std::chrono::seconds(10)));
    if (!records) co_return base::fail(records.error());
    more = records->size() == static_cast<std::size_t>(kPage);
    for (const stores::HistoryRecord& record : *records) {
      if (record.notification.created_at() < since) {
        more = false;
        break;
      }
      std::cout << edges::summary(record) << '\n';
      before = record.notification.id;
      ++count;
    }
  }
  if (count == 0) {
    std::cout << "nothing was accepted for this user since then: ask its sender what it was told\n";
  }
  co_return Expected<void>();
}

int explain_user(const config::Config& config, const ExplainOptions& options) {
  const auto user = base::UserId::parse(options.user);
  if (!user) return complain("\"" + options.user + "\" is not a UUID", kUsage);
  const auto since = edges::parse_instant(options.since, base::SystemClock().now());
  if (!since) return complain("--since: " + since.error().detail, kUsage);
  const auto told = run_with_database(config, [&](pg::Pool& pool, async::Timers& timers) {
    return tell_of_user(history_in(pool, timers, config), timers, *user, *since);
  });
  return told ? 0 : complain(told.error().detail, kFailed);
}

int explain_what_if(const config::Config& config, const ExplainOptions& options) {
  std::ifstream file;
  if (options.what_if != "-") {
    file.open(options.what_if);
    if (!file) return complain("cannot read " + options.what_if, kUsage);
  }
  const edges::WhatIfOptions what_if{options.as_json, type_policy(config), expiry_policy(config)};
  std::istream& in = options.what_if == "-" ? std::cin : file;
  return edges::what_if(in, std::cout, base::SystemClock(), what_if) == 0 ? 0 : kUsage;
}

}  // namespace

int explain(const config::Config& config, const ExplainOptions& options) {
  if (!options.what_if.empty()) return explain_what_if(config, options);
  if (!options.user.empty()) return explain_user(config, options);
  const auto id = base::NotificationId::parse(options.id);
  if (!id) return complain("\"" + options.id + "\" is not a UUID", kUsage);
  const auto told = run_with_database(config, [&](pg::Pool& pool, async::Timers& timers) {
    return tell(history_in(pool, timers, config), timers, *id);
  });
  return told ? 0 : complain(told.error().detail, kFailed);
}

}  // namespace notify::app
