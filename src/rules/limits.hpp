#pragma once
// Rate limits: how many notifications in a window, of whom. What is counted, under which names, and
// what is said of a limit that is reached; the counting itself is a store's (stores/limiter.hpp).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "rules/notification.hpp"

namespace notify::rules {

/// Whose notifications are counted together.
enum class LimitSubject : std::uint8_t {
  user,          ///< who gets them
  conversation,  ///< what one user gets of it
  device,        ///< of a user's: tries to deliver to it
  caller,        ///< the service that sends them
  ip,            ///< the address it sends from
};
inline constexpr LimitSubject kLimitSubjects[] = {LimitSubject::user, LimitSubject::conversation,
                                                  LimitSubject::device, LimitSubject::caller,
                                                  LimitSubject::ip};
[[nodiscard]] std::string_view name(LimitSubject subject);
[[nodiscard]] std::optional<LimitSubject> parse_limit_subject(std::string_view text);

/// A window begins with the first notification in it.
enum class LimitWindow : std::uint8_t { minute, hour, day };
inline constexpr LimitWindow kLimitWindows[] = {LimitWindow::minute, LimitWindow::hour,
                                                LimitWindow::day};
[[nodiscard]] std::string_view name(LimitWindow window);  ///< `1m`, `1h`, `1d`
[[nodiscard]] std::chrono::milliseconds length(LimitWindow window);

struct Limit {
  LimitSubject subject = LimitSubject::user;
  LimitWindow window = LimitWindow::minute;
  std::int64_t allowed = 0;
  std::string type{};  ///< the only notification type that it is about; empty: all together
};
/// `user.1m`, or of one type `user.1d.promotion`: as it is called in records, answers and metrics.
[[nodiscard]] std::string name(const Limit& limit);

/// A limit that a notification would exceed.
struct LimitReached {
  std::string limit;  ///< its name
  std::int64_t allowed = 0;
  std::int64_t counted = 0;
  std::optional<base::WallTime> resets_at{};  ///< when its window ends
  /// `user:<id>`, `conversation:<user>:<id>`; for the caller, not for the record.
  std::string subject{};

  [[nodiscard]] std::int64_t left() const { return counted < allowed ? allowed - counted : 0; }
};
/// "limit user.1m = 60, counted 60, left 0; its window ends at 2026-11-23T06:00:00.000Z".
[[nodiscard]] std::string describe(const LimitReached& reached);

/// The end of a counter's name: `{<subject>}`, or `{<subject>}:<rest>`. The braces are literal: a
/// Redis Cluster chooses the slot by what is between them, so all counters of a subject share one.
[[nodiscard]] std::string tagged(std::string_view subject, std::string_view rest = {});

/// A counter that a notification takes part in.
struct LimitCounter {
  std::string name;  ///< `user.1m:{<id>}`; in Redis `ratelimit:` is before it
  std::int64_t allowed = 0;
  std::chrono::milliseconds window{0};
  std::size_t limit = 0;  ///< its place in LimitPolicy::all
};

/// What happens to a notification that is over its user's or its conversation's limit. Over a
/// caller's or an address' limit it is always refused: its user has nothing to do with that.
enum class OverLimit : std::uint8_t { refuse, suppress };

/// Who sends.
struct LimitedCaller {
  std::string identity;  ///< empty: not known, and not limited
  std::string ip;        ///< likewise
};

/// Limits: at most kLimitsMax of them.
struct LimitPolicy {
  static constexpr std::size_t kLimitsMax = 100;

  std::vector<Limit> all;
  OverLimit over = OverLimit::refuse;

  [[nodiscard]] bool limits(LimitSubject subject) const;
  /// What a try is counted by when it is delivered to a device; none for a type that has no limit.
  [[nodiscard]] std::vector<LimitCounter> counters(base::DeviceId device,
                                                   std::string_view type) const;
  /// What a notification is counted by when it is accepted; devices are not among it.
  [[nodiscard]] std::vector<LimitCounter> counters(const Notification& notification,
                                                   const LimitedCaller& caller) const;
  [[nodiscard]] OverLimit consequence(const LimitCounter& counter) const;
  /// What is to be said when `counter` has no room.
  [[nodiscard]] LimitReached reached(const LimitCounter& counter, std::int64_t counted,
                                     base::WallTime resets_at) const;
};

}  // namespace notify::rules
