#pragma once
// accept: requests → valid → within limits → decided → committed → OK → queued. One request, a
// batch and a stream are the same here: some requests of one caller, each with an answer of its
// own.
//
// The caller has its OK as soon as PostgreSQL has committed. Queueing follows on its own: if Redis
// is away, or this process dies in between, the recover flow finds the row and queues it. Up to a
// bound: what comes back after a long outage comes late, and its callers should know.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/async/task_group.hpp"
#include "base/uuid.hpp"
#include "flows/bursts.hpp"
#include "flows/deciding.hpp"
#include "flows/limiting.hpp"
#include "flows/refusal.hpp"
#include "flows/render.hpp"
#include "flows/unqueued.hpp"
#include "rules/validation.hpp"
#include "stores/ledger.hpp"
#include "stores/queue.hpp"

namespace notify::flows {

/// Who asks.
struct Caller {
  std::string identity;  ///< whose idempotency keys they are; empty: not authenticated
  std::string lane;      ///< callers of different lanes are treated alike, whatever each sends
  std::string ip{};      ///< empty: not known
  std::string host{};    ///< from where, for the audit
};

struct Accepted {
  base::NotificationId id;
  base::WallTime expires_at;
  rules::Status status = rules::Status::pending;
  bool is_repeat = false;  ///< the request had been accepted before, as this notification

  [[nodiscard]] base::WallTime created_at() const { return id.uuid().instant(); }
};

/// What accept counts; the composition root binds it to metrics.
struct AcceptEvents {
  std::function<void()> accepted;
  std::function<void()> repeated;
  std::function<void(base::Errc)> refused;
  std::function<void(std::size_t)> not_queued;  ///< committed, but not in Redis: recover will
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
class Accept {
 public:
  struct Parts {
    stores::Ledger& ledger;
    stores::Queue& queue;
    Deciding& deciding;
    base::UuidV7Generator& ids;
    rules::ExpiryPolicy expiry;
    AcceptEvents events;
    std::function<void()> wake_deliver;                          ///< something is due
    std::function<std::optional<base::WallTime>()> swept_until;  ///< what the sweep has queued
    std::size_t unqueued_max = 200'000;  ///< accepted here, committed, and not in the queue
    Render* render = nullptr;            ///< without it, requests that use templates are invalid
    Limiting* limiting = nullptr;        ///< without it, nothing is limited
    /// What waits for a time so soon that the next sweep may come too late; unset: it waits for
    /// that.
    std::function<async::Task<void>(std::vector<stores::QueueItem>)> promote{};
    Bursts* bursts = nullptr;  ///< without it, nothing is grouped
    /// Repeats of what has been pending for long; unset: a sweep finds it.
    std::function<async::Task<void>(std::vector<base::NotificationId>)> recheck{};
    /// Whether this node's clock agrees with the database's; unset: it does.
    std::function<bool()> clock_is_right{};
  };

  Accept(Parts parts, const base::Clock& clock, const async::Executor& executor,
         async::OnEscape on_escape);

  using Answers = std::vector<Answer<Accepted>>;

  /// One answer for each request, in order; a refusal of one leaves the others alone.
  /// Lifetime: what the requests refer to outlives the call.
  /// Errors:   invalid and permission_denied, with violations (nothing stored); already_exists
  ///           (the caller's key stands for another request); overloaded, with the limit if one is
  ///           reached, also while the queue has been away for too long, and unavailable (nothing
  ///           stored); timed_out (it may have been stored, and the same request tells).
  /// Cancel:   they may have been accepted.
  [[nodiscard]] async::Task<Answers> accept(std::vector<rules::SendRequest> requests,
                                            Caller caller);

  /// Waits until everything accepted has been offered to the queue.
  [[nodiscard]] async::Task<void> stop() { return queueing_.join(); }

 private:
  /// A request on its way to the ledger.
  struct Draft {
    stores::Submission submission;
    std::size_t place = 0;  ///< of its answer
    Deciding::User user;    ///< whom it is for; without settings: it is refused
    Limiting::Outcome limits;
    Bursts::Joined burst;
    std::optional<base::WallTime> waits_until;  ///< for its own time, or the end of a burst
  };
  /// One that the ledger is about to get.
  struct Pending {
    std::size_t place = 0;
    stores::QueueItem item;
    bool waits = false;  ///< for item.due_at
    Limiting::Outcome limits;
    stores::LimitReturn burst;
  };
  /// What was counted for those that are not stored.
  struct Uncounted {
    std::vector<Limiting::Outcome> limits;
    std::vector<stores::LimitReturn> bursts;
    void add(Pending& pending);
  };
  using Checked = base::Expected<Draft, Refusal>;

  [[nodiscard]] bool uses_templates(const std::vector<rules::SendRequest>& requests) const;
  [[nodiscard]] Checked check(const rules::SendRequest& request, const Caller& caller,
                              const base::Expected<rules::RenderResult>* rendered);
  /// Of those who are not in memory. Who could not be read was refused in `answers`.
  async::Task<void> read_users(std::vector<Draft>& drafts, Answers& answers);
  [[nodiscard]] bool limits_apply() const {
    return parts_.limiting != nullptr && parts_.limiting->has_limits();
  }
  /// To those that somebody would hear of.
  async::Task<void> apply_limits(std::vector<Draft>& drafts, const Caller& caller,
                                 Answers& answers);
  /// Refuses them, but for those that were accepted before.
  async::Task<void> refuse_over_limits(std::vector<Draft*> drafts, Answers& answers);
  /// Of those whose users want bursts grouped.
  async::Task<void> join_bursts(std::vector<Draft>& drafts);
  void decide(Draft& draft) const;
  /// Whether it is wanted is decided when its time has come, by the settings of then.
  static void schedule(Draft& draft);
  async::Task<void> commit(std::vector<Draft> drafts, std::string lane, Answers& answers);
  async::Task<void> give_back(Uncounted uncounted);
  /// Whatever is asked for; unset: it is looked at.
  [[nodiscard]] std::optional<base::Error> refusal_of_all();
  /// Unset: there is room for more of what the queue does not take.
  [[nodiscard]] std::optional<base::Error> queue_is_away_too_long();
  [[nodiscard]] bool is_overdue(const stores::Appended& repeat) const;
  async::Task<void> enqueue(std::vector<stores::QueueItem> items);

  Parts parts_;
  const base::Clock& clock_;
  std::size_t on_their_way_ = 0;  ///< into the queue
  Unqueued unqueued_;
  async::TaskGroup queueing_;
};

}  // namespace notify::flows
