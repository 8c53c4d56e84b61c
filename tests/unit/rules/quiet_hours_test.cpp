#include "rules/quiet_hours.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.hpp"

namespace notify::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

base::WallTime utc(const std::string& text) {
  return base::parse_sql_timestamp(text.size() == 16 ? text + ":00" : text).value();
}

QuietHours quiet(minutes start, minutes end, const char* zone = "Europe/Paris") {
  return {start, end, base::TimeZone::find(zone).value()};
}
QuietHours night(const char* zone = "Europe/Paris") { return quiet(hours(22), hours(7), zone); }

Weekdays only(std::initializer_list<int> days) {
  Weekdays some;
  for (const int day : days) some.add(day);
  return some;
}

TEST(QuietHours, ANightRunsOverMidnight) {
  // In January Paris is an hour ahead of UTC.
  EXPECT_FALSE(is_quiet(night(), utc("2026-01-14 20:59:59")));
  EXPECT_TRUE(is_quiet(night(), utc("2026-01-14 21:00")));
  EXPECT_TRUE(is_quiet(night(), utc("2026-01-15 05:59:59")));
  EXPECT_FALSE(is_quiet(night(), utc("2026-01-15 06:00")));
  EXPECT_EQ(quiet_until(night(), utc("2026-01-14 21:00")), utc("2026-01-15 06:00"));
  EXPECT_EQ(quiet_until(night(), utc("2026-01-15 05:59:59.999")), utc("2026-01-15 06:00"));
}

TEST(QuietHours, WhatIsNotQuietIsOverAtOnce) {
  EXPECT_EQ(quiet_until(night(), utc("2026-01-14 12:00")), utc("2026-01-14 12:00"));
}

TEST(QuietHours, ADayIsTheOneOnWhichTheIntervalBegins) {
  QuietHours fridays = night();
  fridays.days = only({5});
  EXPECT_FALSE(is_quiet(fridays, utc("2026-01-16 05:00"))) << "the night of Thursday";
  EXPECT_TRUE(is_quiet(fridays, utc("2026-01-16 22:00")));
  EXPECT_TRUE(is_quiet(fridays, utc("2026-01-17 05:00"))) << "Saturday, but it began on Friday";
  EXPECT_FALSE(is_quiet(fridays, utc("2026-01-17 22:00")));
}

TEST(QuietHours, EqualTimesMeanAWholeDay) {
  QuietHours sunday = quiet(hours(8), hours(8));
  sunday.days = only({7});
  EXPECT_FALSE(is_quiet(sunday, utc("2026-01-18 06:59")));
  EXPECT_TRUE(is_quiet(sunday, utc("2026-01-18 07:00")));
  EXPECT_TRUE(is_quiet(sunday, utc("2026-01-19 06:59")));
  EXPECT_FALSE(is_quiet(sunday, utc("2026-01-19 07:00")));
  EXPECT_EQ(quiet_until(sunday, utc("2026-01-18 12:00")), utc("2026-01-19 07:00"));
}

TEST(QuietHours, IntervalsThatTouchAreOne) {
  QuietHours weekend = quiet(hours(0), hours(0));
  weekend.days = only({6, 7});
  EXPECT_EQ(quiet_until(weekend, utc("2026-01-17 10:00")), utc("2026-01-18 23:00"));
}

TEST(QuietHours, QuietThatNeverEndsHasNoEnd) {
  EXPECT_EQ(quiet_until(quiet(hours(8), hours(8)), utc("2026-01-18 12:00")), std::nullopt);
  QuietHours no_day = night();
  no_day.days = Weekdays();
  EXPECT_FALSE(is_quiet(no_day, utc("2026-01-14 23:00")));
}

TEST(QuietHours, ANightIsAnHourShorterWhenTheClockGoesForward) {
  // Paris, 2026-03-29: at 01:00 UTC the clock goes from 02:00 to 03:00.
  EXPECT_EQ(quiet_until(night(), utc("2026-03-28 21:00")), utc("2026-03-29 05:00"));
}

TEST(QuietHours, ANightIsAnHourLongerWhenTheClockGoesBack) {
  // Paris, 2026-10-25: at 01:00 UTC the clock goes from 03:00 to 02:00.
  EXPECT_EQ(quiet_until(night(), utc("2026-10-24 20:00")), utc("2026-10-25 06:00"));
}

TEST(QuietHours, AnEndThatDoesNotExistIsWhenTheClockJumpsOverIt) {
  EXPECT_EQ(quiet_until(quiet(hours(1), minutes(150)), utc("2026-03-29 00:30")),
            utc("2026-03-29 01:00"));
}

TEST(QuietHours, AStartThatDoesNotExistBeginsAfterTheJump) {
  const QuietHours hours_of_jump = quiet(minutes(150), hours(4));
  EXPECT_FALSE(is_quiet(hours_of_jump, utc("2026-03-29 00:59:59")));
  EXPECT_TRUE(is_quiet(hours_of_jump, utc("2026-03-29 01:00")));
}

TEST(QuietHours, WhatTheClockShowsTwiceIsQuietTwice) {
  const QuietHours half = quiet(hours(2), minutes(150));
  EXPECT_EQ(quiet_until(half, utc("2026-10-25 00:10")), utc("2026-10-25 00:30"));
  EXPECT_FALSE(is_quiet(half, utc("2026-10-25 00:45")));
  EXPECT_TRUE(is_quiet(half, utc("2026-10-25 01:10")));
  EXPECT_EQ(quiet_until(half, utc("2026-10-25 01:10")), utc("2026-10-25 01:30"));
}

TEST(QuietHours, ZonesNeedNoFullHours) {
  // Kathmandu is 5:45 ahead, Lord Howe Island changes by half an hour.
  EXPECT_EQ(quiet_until(night("Asia/Kathmandu"), utc("2026-01-14 17:00")), utc("2026-01-15 01:15"));
  EXPECT_EQ(quiet_until(night("Australia/Lord_Howe"), utc("2026-04-04 12:00")),
            utc("2026-04-04 20:30"));
}

TEST(TimeZone, ANameThatTheSystemDoesNotKnowIsNoZone) {
  EXPECT_FALSE(base::TimeZone::find("Mars/Olympus"));
  EXPECT_FALSE(base::TimeZone::find(""));
  EXPECT_FALSE(base::TimeZone::find("../../etc/passwd"));
  EXPECT_GT(base::TimeZone::find("UTC")->read(utc("2026-01-01 00:00")).even_until,
            utc("9999-12-31 00:00"));
}

/// By the list that comes with the zones; "Factory" is a place holder of a system without a zone.
TEST(TimeZone, OfTheFilesThatAreThereOnlyTheZonesOfTheDatabaseAreZones) {
  const std::filesystem::path directory = "/usr/share/zoneinfo";
  std::set<std::string> zones;
  std::ifstream list(directory / "tzdata.zi");
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    std::string kind, first, second;
    words >> kind >> first >> second;
    if (kind == "Z") zones.insert(first);
    if (kind == "L") zones.insert(second);
  }
  zones.erase("Factory");
  ASSERT_GT(zones.size(), 500U);
  for (const std::string& zone : zones) EXPECT_TRUE(base::TimeZone::find(zone)) << zone;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string name = file.path().lexically_relative(directory).string();
    if (!zones.contains(name)) EXPECT_FALSE(base::TimeZone::find(name)) << name;
  }
  for (const char* name : {"localtime", "europe/paris", "Europe/paris", "Europe/Paris/", "Factory",
                           "posixrules", "posix/Europe/Paris", " Europe/Paris"}) {
    EXPECT_FALSE(base::TimeZone::find(name)) << name;
  }
}

}  // namespace
}  // namespace notify::rules
