#pragma once
// Notifications that failed: no device of their user was left to try. People look for them, and
// have them sent again when what was wrong is mended.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stores/ledger.hpp"

namespace notify::stores {

/// The error code of a dead letter of which nothing was tried: its user had no device.
inline constexpr std::string_view kNoDevice = "no device";

/// Which of them. What is unset does not matter.
struct DeadLetterFilter {
  base::WallTime from;   ///< accepted at or after
  base::WallTime until;  ///< accepted before
  /// The last word on one of its devices came from this provider, and was this error.
  std::optional<std::string> provider;
  std::optional<std::string> error_code;
  std::optional<base::UserId> user;
  std::optional<std::string> type;
  std::optional<base::NotificationId> notification;
};

struct DeadLetter {
  base::NotificationId id;
  base::UserId user;
  std::string type;
  base::WallTime expires_at;
  std::string provider;    ///< of the latest attempt that fits the filter; empty: nobody was asked
  std::string error_code;  ///< of the same attempt, or kNoDevice
  std::optional<base::WallTime> attempted_at;
  std::optional<base::WallTime> replayed_at;  ///< when it was last replayed
  bool waits = false;                         ///< a replay of it is under way

  friend bool operator==(const DeadLetter&, const DeadLetter&) = default;
};

/// How much of the history one question looks at. There is no index on the status (D-6), so a
/// question reads rows one after the other, and its bound is on what it reads.
struct DeadLetterStretch {
  std::optional<base::NotificationId> after;  ///< DeadLetterPage::next of the page before
  std::int32_t looked_at_max = 2000;
  std::int32_t limit = 500;
};

struct DeadLetterPage {
  std::vector<DeadLetter> letters;  ///< in the order in which they were accepted; may be none
  std::int64_t looked_at = 0;       ///< notifications of the stretch
  std::optional<base::NotificationId> next;  ///< go on behind this one; unset: that was all
};

/// Some of a job's dead letters, to be sent again.
struct ReplayBatch {
  struct Item {
    base::NotificationId id;
    base::WallTime due_at;
  };
  std::vector<Item> items;
  base::WallTime replayed_at;
  base::ReplayJobId job;
  std::optional<base::WallTime> live_until;  ///< expires_at becomes this, unless it is later
};

struct ReplayCounts {
  std::int64_t replayed = 0;
  std::int64_t expired = 0;  ///< left alone: they would expire before they are sent
  std::int64_t waiting = 0;  ///< left alone: another replay of them is under way
  std::int64_t changed = 0;  ///< left alone: not failed any more

  friend bool operator==(const ReplayCounts&, const ReplayCounts&) = default;
};

/// Threading: one executor.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;

  /// Errors: unavailable, timed_out.
  [[nodiscard]] virtual async::Task<base::Expected<DeadLetterPage>> find(
      DeadLetterFilter filter, DeadLetterStretch stretch, base::Deadline deadline) = 0;

  /// Makes them due, in one transaction; recovery brings them to the queue. The same batch again
  /// changes nothing: a job replays a notification once.
  /// Errors: unavailable: nothing was done. timed_out: it may have been done.
  [[nodiscard]] virtual async::Task<base::Expected<ReplayCounts>> replay(
      ReplayBatch batch, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
