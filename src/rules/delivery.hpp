#pragma once
// What remains to be done for a notification, and what its tries add up to. Pure: the deliver flow
// feeds it, and recovery relies on its giving the same answer again.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/notification.hpp"
#include "rules/retry.hpp"

namespace notify::rules {

/// What PostgreSQL knows about a notification that is not on its first, clean try.
struct Progress {
  Status status = Status::pending;
  std::vector<Attempt> attempts;  ///< all so far
  /// When an operator last had it sent again. Attempts of before neither are the last word on their
  /// device nor count against its retries, unless they were delivered.
  std::optional<base::WallTime> replayed_at;
  /// The user has got a newer one with the same collapse id, or of those that wait with it.
  bool is_superseded = false;
  /// So many of its conversation have waited for the same, itself among them: the newest stands for
  /// all. 0: it is none that is grouped.
  std::size_t group_size = 0;
  bool is_cancelled = false;  ///< whatever its status: nothing of it may be sent any more
};

/// Whether nothing is left to do: it was cancelled, or ended without an acceptance and was not
/// replayed.
[[nodiscard]] bool is_finished(const Progress& progress);

/// A device to try now, and how many tries went before.
struct Target {
  Device device;
  std::int32_t retry_count = 0;  ///< all of them: it makes the attempt's id
  std::int32_t forgiven = 0;     ///< those of before the replay: not counted against the retries
  std::optional<base::WallTime> replayed_at;
};

/// The devices to try at `now`: not those that are done with, nor those whose next try is later.
/// Tries of a device that is no longer the user's are over. A device that is listed twice is one:
/// the newest registration. After a replay every device that has not accepted is tried anew.
struct Targets {
  std::vector<Target> due;
  std::optional<base::WallTime> next_due;  ///< the earliest try that is still in the future
};
[[nodiscard]] Targets choose_targets(const std::vector<Device>& devices, const Progress& progress,
                                     base::WallTime now);

/// Why nothing is sent to a device.
enum class LeftOut : std::uint8_t {
  not_understood = 1,  ///< no id, or a platform that this version does not know
  no_provider,         ///< this version delivers to no such platform
  no_token,
  other_environment,  ///< its token is of Apple's other environment
  unusable_token,     ///< its token has a form, or names a host, that nothing is sent to
  same_token,         ///< another device has its token: one token, one push
  rate_limit,         ///< for now
  no_answer,          ///< for now: an earlier notification got none from it
  not_asked,          ///< for now: its server is down, or has too much to do
};
/// The label of metrics.
[[nodiscard]] std::string_view name(LeftOut why);

/// Why nothing can ever be sent to a device, for metrics and in words.
struct Flaw {
  LeftOut why{};
  std::string message;
};
/// The flaw that a device has for every push service.
[[nodiscard]] std::optional<Flaw> flaw_of(const Device& device);

/// A device that nothing is sent to, and what is recorded of that. A device that is left out for
/// good is not tried again for this notification.
struct Untried {
  Target target;
  LeftOut why{};
  Outcome outcome;
};
/// Takes those out of `due` that nothing can be sent to: `flaw_of` says which. `devices` are all of
/// the user's: several with one token are one phone, which gets it through the device that has
/// accepted it or is being tried, else through the newest registration.
[[nodiscard]] std::vector<Untried> leave_out(
    std::vector<Target>& due, const std::vector<Device>& devices, const Progress& progress,
    const std::function<std::optional<Flaw>(const Device&)>& flaw_of);
/// The outcome for a device over its rate limit, and for one that does not answer.
[[nodiscard]] Outcome left_for_later(LeftOut why, std::string message,
                                     std::optional<std::chrono::seconds> retry_after = {});

/// Turns an answer into the attempt to record, with the plan for the next try.
[[nodiscard]] Attempt conclude(const Notification& notification, const Target& target,
                               const Outcome& outcome, const RetryPolicy& policy,
                               base::WallTime now, base::Rng& rng);

/// What all tries add up to. A replayed notification stays failed until a provider accepts it.
struct RollUp {
  std::optional<Status> status;            ///< the status to move to, if it changes
  std::optional<base::WallTime> retry_at;  ///< when the notification is due again; unset: done
};
/// `next_due` is Targets::next_due. A notification that one device has accepted is delivered; the
/// retries for the others go on.
[[nodiscard]] RollUp roll_up(const Progress& before, const std::vector<Attempt>& now_made,
                             std::optional<base::WallTime> next_due);

/// Whether the device has got it, or may have: a try without an answer counts.
[[nodiscard]] bool may_have_come(const Attempt& attempt);

enum class CancelResult : std::uint8_t { cancelled = 1, too_late, partly_sent };
/// The label of metrics.
[[nodiscard]] std::string_view name(CancelResult result);

/// What a cancellation has come to, by all attempts of a notification that was cancelled, once
/// nobody is at work on it any more. A try without an answer counts as sent.
[[nodiscard]] CancelResult cancel_result(const std::vector<Attempt>& attempts);

}  // namespace notify::rules
