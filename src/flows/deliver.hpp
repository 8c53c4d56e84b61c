#pragma once
// deliver: leased → decided → devices → sent → outcome → committed → acked.
//
// Nothing is given up before its outcome stands in the ledger: a node that dies in the middle
// leaves its leases to recover, and what PostgreSQL knows decides what is tried again.

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "clients/device_directory.hpp"
#include "flows/breakers.hpp"
#include "flows/bursts.hpp"
#include "flows/dead_tokens.hpp"
#include "flows/deciding.hpp"
#include "flows/limiting.hpp"
#include "flows/lines.hpp"
#include "providers/router.hpp"
#include "rules/delivery.hpp"
#include "stores/ledger.hpp"
#include "stores/queue.hpp"

namespace notify::flows {

struct DeliverLimits {
  std::size_t lease_max = 64;               ///< items in one lease
  std::size_t in_flight_max = 2000;         ///< notifications under way at once
  std::chrono::milliseconds idle_poll{50};  ///< how often an empty queue is looked at
  /// Leases that do not fill lease_max are at least this far apart, so that fewer carry more.
  std::chrono::milliseconds lease_interval{3};
  std::chrono::milliseconds step_timeout{5000};  ///< for a query of the queue or the ledger
  std::chrono::milliseconds devices_timeout{2000};
  std::chrono::seconds devices_retry{5};         ///< when auth-service did not answer
  std::chrono::milliseconds record_retry{1000};  ///< when an outcome could not be written
  BrakePolicy brake;
  BreakerPolicy breaker;
};

/// What deliver counts; the composition root binds it to metrics and logs.
struct DeliverEvents {
  std::function<void(const providers::Provider&, const rules::Outcome&,
                     std::chrono::nanoseconds took)>
      sent;
  std::function<void(rules::LeftOut)> left_out;
  /// A provider calls so many tokens dead that it is not believed, or is believed again.
  std::function<void(std::string_view provider, bool is_on)> braked;
  /// A server of a provider is not asked any more, or is asked again.
  std::function<void(std::string_view provider, bool is_open)> broken;
  /// After how long, since it was accepted or since the time that it was scheduled for.
  std::function<void(rules::Status, std::chrono::nanoseconds took)> finished;
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
class Deliver {
 public:
  struct Parts {
    stores::Ledger& ledger;
    stores::Queue& queue;
    clients::DeviceDirectory& devices;
    const providers::Router& providers;
    Deciding& deciding;
    async::Timers& timers;
    base::Rng& rng;
    rules::RetryPolicy retry;
    DeliverLimits limits;
    DeliverEvents events;
    /// The term in which leases are this node's own; 0 when it cannot prove that they are. What was
    /// leased in another term must not be sent.
    std::function<std::uint64_t()> lease_term;
    Limiting* limiting = nullptr;  ///< without it, devices have no limits
    Bursts* bursts = nullptr;      ///< without it, what stands for a burst opens no next one
  };

  Deliver(Parts parts, async::OnEscape on_escape);

  /// Starts leasing.
  void start();
  /// Something is due: look now instead of at the next poll.
  void wake();
  /// Leases nothing more, and begins nothing of what waits for its turn: that is for other nodes.
  void stop_leasing() {
    leasing_ = false;
    wake();
  }
  /// stop_leasing(), and waits for what is under way.
  [[nodiscard]] async::Task<void> stop();

  [[nodiscard]] std::size_t in_flight() const { return held_.size(); }
  /// Whether a lease of this notification is being worked on here.
  [[nodiscard]] bool holds(base::NotificationId id) const { return held_.contains(id); }
  /// The leases that were taken in this term and are being worked on.
  [[nodiscard]] std::vector<stores::Lease> held(std::uint64_t term) const;

 private:
  async::Task<void> lease_loop();
  async::Task<void> pause();
  async::Task<std::size_t> lease_some();
  /// A lease on which this worker is at work; it stays where it is until it is erased.
  struct Held {
    Held(stores::Lease leased, std::uint64_t in_term, Lines& users)
        : lease(std::move(leased)),
          term(in_term),
          place(users, lease.notification.user.uuid(), lease.notification.priority) {}
    stores::Lease lease;
    std::uint64_t term;
    Lines::Place place;  ///< until it has a place in the line of each of its devices
  };

  async::Task<void> admit_suspects(std::vector<Held*> suspects);
  async::Task<void> deliver_one(Held& held, std::optional<rules::Progress> before);
  async::Task<void> deliver_held(Held& held, std::optional<rules::Progress> before);
  /// How it was decided just now.
  struct Decided {
    const Deciding::User& user;
    const Deciding::Outcome& outcome;
  };
  async::Task<Deciding::User> read_user(const rules::Notification& n);
  async::Task<void> try_devices(Held& held, Decided decided, const rules::Progress& before,
                                bool was_due);
  /// The devices that a retraction goes to: those that may have an original of it. Unset: it is
  /// settled, or put off until the outcomes of its originals are known.
  async::Task<std::optional<std::vector<rules::Device>>> devices_to_clear(
      Held& held, std::vector<rules::Device> devices, const rules::Progress& before, bool was_due);
  /// Moves the devices that are over their limit from `due` to `untried`.
  async::Task<void> bar_over_limits(const rules::Notification& n, std::vector<rules::Target>& due,
                                    std::vector<rules::Untried>& untried);
  /// It is not tried now, or not at all.
  async::Task<void> hold_back(const stores::Lease& lease, Decided decided,
                              const rules::Progress& before, bool was_due);
  async::Task<void> finish(const stores::Lease& lease, rules::Status status,
                           const rules::Progress& before, bool was_due);
  async::Task<void> put_off(const stores::Lease& lease);
  async::Task<void> postpone_for_devices(const stores::Lease& lease, const base::Error& why);
  async::Task<void> close(Held& held);
  void let_go(const Held& held);
  /// A leased notification that is sent, in the style that its user wants.
  struct Styled {
    const Held& held;
    const rules::Style& style;
  };
  /// A device that it is sent to.
  struct Sending {
    Sending(rules::Target to, Lines& devices, rules::Priority priority)
        : target(std::move(to)), place(devices, target.device.id.uuid(), priority) {}
    rules::Target target;
    Lines::Place place;
    /// Unset, or not_processed: it was not tried, and is due at `again`.
    std::optional<rules::Outcome> outcome;
    std::optional<base::WallTime> again;  ///< unset: at once

    [[nodiscard]] bool was_tried() const {
      return outcome && outcome->kind != rules::OutcomeKind::not_processed;
    }
  };
  using Sendings = std::list<Sending>;
  async::Task<void> send_all(Styled what, Sendings& sendings);
  async::Task<void> send_beside(Styled what, Sending& sending, std::size_t& left,
                                async::OneShot<async::Unit>& others_done);
  async::Task<void> send_in_turn(Styled what, Sending& sending);
  struct To {
    providers::Provider& provider;
    const std::string& server;
    bool has_waited = false;  ///< so what was decided may not hold any more
  };
  async::Task<void> send_first(Styled what, Sending& sending, To to);
  /// `next_due`: of the devices that were not due yet.
  [[nodiscard]] stores::DeliveryRecord sum_up(const rules::Notification& n,
                                              const Sendings& sendings,
                                              const std::vector<rules::Untried>& untried,
                                              const rules::Progress& before,
                                              std::optional<base::WallTime> next_due);
  /// Why it is not sent now, and for how long.
  struct NotAsked {
    rules::LeftOut why;
    std::string message;
    std::chrono::milliseconds wait;
  };
  [[nodiscard]] static NotAsked not_asked(const providers::Provider& provider,
                                          std::chrono::milliseconds wait);
  void leave_for_later(Styled what, Sending& sending, NotAsked why);
  void park(Styled what, Sending& sending, std::chrono::milliseconds wait);
  [[nodiscard]] bool owns(const Held& held) const;
  async::Task<bool> is_still_wanted(Styled what);
  async::Task<void> settle(const stores::Lease& lease, stores::DeliveryRecord record);
  void report_dead_tokens(base::UserId user, const Sendings& sendings);
  [[nodiscard]] base::WallTime now() const { return parts_.timers.clock().now(); }
  [[nodiscard]] base::Deadline soon() const {
    return parts_.timers.after(parts_.limits.step_timeout);
  }

  Parts parts_;
  bool leasing_ = true;
  bool stopping_ = false;
  bool woken_ = false;
  async::OneShot<async::Unit>* sleeper_ = nullptr;
  Lines users_;
  Lines devices_;
  std::unordered_map<base::NotificationId, Held> held_;
  async::TaskGroup loop_;
  async::TaskGroup deliveries_;
  async::TaskGroup sends_;  // one for each stream: part of a delivery
  DeadTokens dead_tokens_;
  Breakers breakers_;
};

}  // namespace notify::flows
