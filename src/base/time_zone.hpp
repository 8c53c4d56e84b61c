#pragma once
// What a wall clock shows in a zone of the IANA database, read from the system's tzdata.

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace date {
class time_zone;
}

namespace notify::base {

/// A zone or a link to one. The files are read when a zone is first asked for, and not again: new
/// rules of a package update count after a restart.
/// Threading: any.
class TimeZone {
 public:
  /// "Europe/Paris"; nullopt for a name that the system does not know, and for
  /// what its files have beside the zones ("localtime").
  [[nodiscard]] static std::optional<TimeZone> find(std::string_view name);

  struct Reading {
    /// What the clock shows, as the time since 1970-01-01 00:00 on that clock.
    std::chrono::milliseconds shown{};
    /// Until then the clock runs evenly; thousands of years ahead if it does for ever.
    WallTime even_until;
  };
  /// A clock is never ambiguous to who looks at it: every instant has one reading.
  [[nodiscard]] Reading read(WallTime at) const;

  [[nodiscard]] std::string_view name() const;

  friend bool operator==(const TimeZone&, const TimeZone&) = default;

 private:
  explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;
};

}  // namespace notify::base
