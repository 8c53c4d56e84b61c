#pragma once
// deciding: a notification and what its user wants → whether and how it is delivered. Accept and
// deliver both ask here, and nothing is sent that was not decided about just before.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/async/timers.hpp"
#include "clients/known_users.hpp"
#include "rules/style.hpp"
#include "rules/validation.hpp"
#include "stores/settings_cache.hpp"

namespace notify::flows {

struct DecidingPolicy {
  rules::TypePolicy types;
  /// What waits for the end of quiet hours comes within so long after it, not all at once.
  std::chrono::milliseconds release_jitter{60'000};
  rules::ExpiryPolicy expiry;
};

struct DecidingEvents {
  std::function<void(const rules::Decision&)> decided;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it.
class Deciding {
 public:
  struct Parts {
    stores::SettingsCache& settings;
    const base::Clock& clock;
    DecidingPolicy policy;
    DecidingEvents events;
    clients::KnownUsers* users = nullptr;  ///< without them every user is known
  };
  /// What a decision has to know of a user.
  struct User {
    stores::SettingsPtr settings;  ///< null: not read
    clients::UserStanding standing;
    [[nodiscard]] explicit operator bool() const { return settings != nullptr; }
  };
  /// What was counted elsewhere.
  struct Counted {
    std::optional<rules::LimitReached> limit_reached;
    std::optional<base::WallTime> burst_until;
  };
  struct Outcome {
    base::WallTime at;
    Counted counted;
    rules::Decision decision;
    rules::Style style;
    /// With Verdict::defer: when it is to be looked at again. The same for all of a user's, so that
    /// they keep their order; earlier if it expires before that.
    base::WallTime release_at;
    /// With Verdict::defer, of one that lives as long as its type is worth: from when it comes
    /// (decision D-13). Unset if its type is not kept for later.
    std::optional<base::WallTime> expires_at;
  };

  explicit Deciding(Parts parts) : parts_(std::move(parts)) {}

  /// False: not all of it is in memory; read it.
  [[nodiscard]] User known(base::UserId user) const;
  /// Errors: the settings could not be read, so nothing may be sent.
  [[nodiscard]] async::Task<base::Expected<User>> read(base::UserId user);
  /// One for each, in order.
  [[nodiscard]] async::Task<std::vector<base::Expected<User>>> read(
      std::vector<base::UserId> users);

  /// Only its lifetime and its user can stop it. A retraction shows nothing and makes no sound, so
  /// no setting is about it.
  [[nodiscard]] bool is_critical(const rules::Notification& notification) const {
    return parts_.policy.types.is_critical(notification) || notification.is_retraction();
  }

  /// Whether this caller may send it.
  [[nodiscard]] bool may_send(std::string_view caller,
                              const rules::Notification& notification) const {
    return parts_.policy.types.may_send(caller, notification);
  }

  /// Whether it counts towards limits: not if no limit can stop it, nor if something else does.
  [[nodiscard]] bool is_limited(const User& user, const rules::Notification& notification) const;

  /// Whether it opens a burst, or joins one: if it would come at once, to who wants them grouped.
  [[nodiscard]] bool is_grouped(const User& user, const rules::Notification& notification) const;

  /// `user` has been read.
  [[nodiscard]] Outcome decide(const User& user, const rules::Notification& notification,
                               Counted counted = {}) const;

  /// JSON, for the column `metadata`: why it was so decided.
  [[nodiscard]] std::string record(const User& user, const rules::Notification& notification,
                                   const Outcome& outcome) const;

 private:
  [[nodiscard]] rules::Circumstances facts(const User& user,
                                           const rules::Notification& notification,
                                           base::WallTime at, const Counted& counted) const;

  Parts parts_;
};

}  // namespace notify::flows
