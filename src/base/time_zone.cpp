#include "base/time_zone.hpp"

#include <date/tz.h>

#include <stdexcept>
#include <string>

namespace notify::base {

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  // The directory has other files beside the zones, and the library takes some of them for zones:
  // `localtime`, `posixrules`, `posix/...`, `right/...`. The name of a zone begins with a capital
  // letter (IANA, "Theory and pragmatics of the tz code and data").
  if (name.empty() || name.front() < 'A' || name.front() > 'Z') return std::nullopt;
  try {
    return TimeZone(date::locate_zone(std::string(name)));
  } catch (const std::runtime_error&) {  // how the library says that there is none
    return std::nullopt;
  }
}

TimeZone::Reading TimeZone::read(WallTime at) const {
  const date::sys_info info = zone_->get_info(std::chrono::floor<std::chrono::seconds>(at));
  return {at.time_since_epoch() + info.offset, info.end};
}

std::string_view TimeZone::name() const { return zone_->name(); }

}  // namespace notify::base
