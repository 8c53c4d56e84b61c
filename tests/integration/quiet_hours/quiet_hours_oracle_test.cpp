// Quiet hours against PostgreSQL's AT TIME ZONE, which reads the same tzdata by code of its own:
// over all zones, from 2020 to 2030. Its definition of quiet is SPEC §6 in SQL, and it finds the
// end by looking at each minute.

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/rng.hpp"
#include "base/text.hpp"
#include "fakes/private_servers.hpp"
#include "rules/quiet_hours.hpp"

namespace notify::rules {
namespace {

using base::WallTime;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kFirst = base::parse_sql_timestamp("2020-01-01 00:00:00").value();
const WallTime kLast = base::parse_sql_timestamp("2031-01-01 00:00:00").value();

/// A zone's clock runs evenly from then on, so far ahead of UTC.
struct Stretch {
  WallTime from;
  seconds ahead;
};
using Zones = std::map<std::string, std::vector<Stretch>>;

constexpr const char* kFunctions = R"(
-- AT TIME ZONE takes "CET" for an abbreviation without summer time; under posix/ it is the zone.
CREATE TABLE zones AS SELECT name, CASE WHEN name IN (SELECT abbrev FROM pg_timezone_abbrevs)
  THEN 'posix/' || name ELSE name END AS zone FROM pg_timezone_names
  WHERE name !~ '^(posix|right)/' AND name NOT IN ('localtime', 'posixrules', 'Factory');
CREATE FUNCTION ahead(t timestamptz, zone text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT extract(epoch FROM (t AT TIME ZONE zone) - (t AT TIME ZONE 'UTC'))::int $$;
CREATE FUNCTION quiet(t timestamptz, zone text, a time, b time, days int[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN a < b
    THEN w::time >= a AND w::time < b AND extract(isodow FROM w) = ANY (days)
    ELSE (w::time >= a AND extract(isodow FROM w) = ANY (days))
      OR (w::time < b AND extract(isodow FROM w - interval '1 day') = ANY (days)) END
  FROM (SELECT t AT TIME ZONE zone AS w) clock $$;
)";

/// Days on which a clock is changed, then the minute.
constexpr const char* kStretches = R"(
WITH grid AS (SELECT name, zone, d, ahead(d, zone) AS this,
           ahead(d + interval '1 day', zone) AS next
         FROM zones, generate_series('2020-01-01Z'::timestamptz, '2030-12-31Z', '1 day') d),
changes AS (SELECT name, d + m * interval '1 minute' AS t,
              ahead(d + m * interval '1 minute', zone) AS this,
              ahead(d + (m - 1) * interval '1 minute', zone) AS before
            FROM grid, generate_series(1, 1440) m WHERE this <> next)
SELECT name, 1577836800, ahead('2020-01-01Z', zone) FROM zones
UNION ALL SELECT name, extract(epoch FROM t)::bigint, this FROM changes WHERE this <> before
ORDER BY 1, 2;
)";

struct Case {
  std::string zone;
  WallTime at;
  minutes start;
  minutes end;
  std::vector<int> days;

  [[nodiscard]] QuietHours hours() const {
    QuietHours hours{start, end, base::TimeZone::find(zone).value()};
    hours.days = Weekdays();
    for (const int day : days) hours.days.add(day);
    return hours;
  }
  /// "'zone', '2026-…Z', '22:00', '07:00', '{1,2}'"
  [[nodiscard]] std::string sql() const {
    std::string list;
    for (const int day : days) list += (list.empty() ? "" : ",") + std::to_string(day);
    const auto clock = [](minutes m) {
      return std::to_string(m.count() / 60) + ":" + std::to_string(m.count() % 60);
    };
    return "'" + zone + "','" + base::to_rfc3339(at) + "','" + clock(start) + "','" + clock(end) +
           "','{" + list + "}'";
  }
};

class QuietHoursOracle : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    postgres = new fakes::PrivatePostgres();
    postgres->sql(kFunctions);
    std::istringstream rows(postgres->sql(kStretches));
    for (std::string line; std::getline(rows, line);) {
      std::istringstream row(line);
      std::string zone, from, ahead;
      std::getline(std::getline(std::getline(row, zone, '|'), from, '|'), ahead);
      zones[zone].push_back({WallTime(seconds(std::stoll(from))), seconds(std::stoll(ahead))});
    }
  }
  static void TearDownTestSuite() { delete postgres; }

  /// What PostgreSQL says of each: whether it is quiet, and when it ends.
  static std::vector<std::string> ask(const std::vector<Case>& cases) {
    std::vector<std::string> answers;
    for (std::size_t i = 0; i < cases.size(); i += 500) {
      std::string sql =
          "SET TimeZone = 'UTC'; SELECT quiet(t::timestamptz, z, a::time, b::time, d::int[]), "
          "(SELECT extract(epoch FROM m)::bigint FROM generate_series(t::timestamptz, "
          "t::timestamptz + interval '8 days', '1 minute') m "
          "WHERE NOT quiet(m, z, a::time, b::time, d::int[]) LIMIT 1) "
          "FROM (SELECT k, zone AS z, t, a, b, d FROM zones JOIN (VALUES ";
      for (std::size_t k = i; k < std::min(i + 500, cases.size()); ++k) {
        sql += (k == i ? "(" : ",(") + std::to_string(k) + "," + cases[k].sql() + ")";
      }
      std::istringstream rows(
          postgres->sql(sql + ") v (k, n, t, a, b, d) ON name = n) c ORDER BY k"));
      for (std::string line; std::getline(rows, line);) {
        if (line != "SET") answers.push_back(line);
      }
    }
    return answers;
  }

  static std::string ours(const Case& one) {
    const QuietHours hours = one.hours();
    const auto until = quiet_until(hours, one.at);
    return std::string(is_quiet(hours, one.at) ? "t|" : "f|") +
           (until ? std::to_string(std::chrono::floor<seconds>(*until).time_since_epoch().count())
                  : std::string());
  }

  static void compare(const std::vector<Case>& cases) {
    const auto answers = ask(cases);
    ASSERT_EQ(answers.size(), cases.size());
    int wrong = 0;
    for (std::size_t i = 0; i < cases.size() && wrong < 10; ++i) {
      if (ours(cases[i]) == answers[i]) continue;
      ++wrong;
      ADD_FAILURE() << cases[i].sql() << ": we say " << ours(cases[i]) << ", PostgreSQL "
                    << answers[i];
    }
  }

  minutes some_minute() { return minutes(rng_.below(1440)); }
  std::vector<int> some_days() {
    std::vector<int> days;
    for (int day = 1; day <= 7; ++day) {
      if (rng_.below(4) != 0) days.push_back(day);
    }
    return days;
  }

  static fakes::PrivatePostgres* postgres;
  static Zones zones;
  base::SeededRng rng_{20261123};
};

fakes::PrivatePostgres* QuietHoursOracle::postgres = nullptr;
Zones QuietHoursOracle::zones;

TEST_F(QuietHoursOracle, EveryClockShowsTheSameForTenYears) {
  ASSERT_GT(zones.size(), 400u);
  for (const auto& [name, stretches] : zones) {
    const auto zone = base::TimeZone::find(name);
    ASSERT_TRUE(zone) << name;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
      const bool is_last = i + 1 == stretches.size();
      const WallTime until = is_last ? kLast : stretches[i + 1].from;
      const auto reading = zone->read(stretches[i].from);
      EXPECT_EQ(reading.shown, stretches[i].from.time_since_epoch() + stretches[i].ahead) << name;
      // Names of offsets and of DST may change without the clock: then it stays even, in steps.
      for (WallTime at = stretches[i].from; at < until; at = zone->read(at).even_until) {
        ASSERT_EQ(zone->read(at).shown - at.time_since_epoch(), stretches[i].ahead)
            << name << " at " << base::to_rfc3339(at);
      }
      EXPECT_EQ(zone->read(until - seconds(1)).shown,
                (until - seconds(1)).time_since_epoch() + stretches[i].ahead)
          << name << " before " << base::to_rfc3339(until);
    }
  }
}

TEST_F(QuietHoursOracle, AnyHoursAtAnyTimeInEveryZone) {
  std::vector<Case> cases;
  const auto span = std::chrono::floor<minutes>(kLast - kFirst).count();
  for (const auto& [zone, stretches] : zones) {
    for (int i = 0; i < 2; ++i) {
      const WallTime at = kFirst + minutes(rng_.below(static_cast<std::uint32_t>(span)));
      const minutes start = some_minute();
      // Some are whole days.
      const minutes end = rng_.below(8) == 0 ? start : some_minute();
      cases.push_back({zone, at, start, end, some_days()});
    }
  }
  compare(cases);
}

/// Hours that begin, end or lie around the moment at which a clock is changed.
TEST_F(QuietHoursOracle, AroundEveryKindOfClockChange) {
  std::vector<Case> cases;
  for (const auto& [zone, stretches] : zones) {
    for (int i = 0; i < 3 && stretches.size() > 1; ++i) {
      const auto which = 1 + rng_.below(static_cast<std::uint32_t>(stretches.size() - 1));
      const Stretch& change = stretches[which];
      const auto near = [&](int before) {
        const auto shown = change.from.time_since_epoch() + change.ahead - minutes(before) +
                           minutes(rng_.below(150));
        return std::chrono::floor<minutes>(shown - std::chrono::floor<std::chrono::days>(shown));
      };
      cases.push_back(
          {zone, change.from - minutes(rng_.below(180)), near(120), near(30), some_days()});
      cases.push_back(
          {zone, change.from + minutes(rng_.below(90)), near(90), near(60), {1, 2, 3, 4, 5, 6, 7}});
    }
  }
  compare(cases);
}

}  // namespace
}  // namespace notify::rules
