#pragma once
// One server of a push service that hangs, refuses or is slow must cost the others nothing: how
// many requests each may have under way, and when it is not asked at all.
//
//   closed ── troubles in a row, or nothing but silence ──▶ open ── after a while ──▶ one probe
//      ▲                                                      ▲                           │
//      │                                                      └──────── in trouble ───────┤
//      └──────────────────────────────── it answers ──────────────────────────────────────┘
//
// How many may be under way follows from how the server does: more while it answers, half as many
// after each trouble. The others wait in a line, for a moment. If that has no room, or takes too
// long, they are refused and come back later: see docs/adr/0031-breakers.md.

#include <array>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/one_shot.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "rules/notification.hpp"
#include "rules/outcome.hpp"

namespace notify::flows {

struct BreakerPolicy {
  std::size_t share = 1000;       ///< requests of one server, under way and in its line
  std::size_t troubles_max = 10;  ///< in a row; then it is not asked
  /// A line does not move if none of it was let through for so long.
  std::chrono::milliseconds moving = std::chrono::milliseconds(250);
  std::chrono::milliseconds wait_max = std::chrono::seconds(1);  ///< in a line
  /// A server that answers nothing for so long has failed, before any time-out says so, if
  /// `troubles_max` requests or more are as old.
  std::chrono::milliseconds silence_max = std::chrono::seconds(2);
};

/// Threading: one executor.
/// Lifetime:  outlives its turns.
/// Limits:    1,000 servers, and those that have requests under way. The one that was asked least
///            lately is forgotten, an open one last.
class Breakers {
 public:
  struct Parts {
    async::Timers& timers;
    base::Rng& rng;
    BreakerPolicy policy;
    /// A server is not asked any more, or is asked again.
    std::function<void(std::string_view provider, bool is_open)> changed;
  };
  explicit Breakers(Parts parts) : parts_(std::move(parts)) {}

 private:
  struct Server;

 public:
  /// The turn of one request to a server. It is over with answered(), or with the object: then the
  /// server was not asked.
  class Turn {
   public:
    /// `provider` outlives the server: it is the name of a push service. `server` is that of
    /// Provider::peer_of(). `on_open` is called if nobody else is asked any more while this one is.
    Turn(Breakers& breakers, std::string_view provider, const std::string& server,
         rules::Priority priority, std::function<void()> on_open);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

    [[nodiscard]] bool must_wait() const { return state_ == State::waits; }
    /// Returns when its turn has come, or is_refused(). Ask must_wait() first.
    [[nodiscard]] async::Task<void> wait();
    [[nodiscard]] bool is_refused() const { return state_ == State::refused; }

    /// The server is asked now: from here on its silence counts.
    void asks() { asked_at_ = breakers_.now(); }
    /// Ends the turn.
    void answered(const rules::Outcome& outcome);

    /// When to come again with what was refused, or was not processed.
    [[nodiscard]] std::chrono::milliseconds retry_after() const { return retry_after_; }

   private:
    friend class Breakers;
    enum class State : std::uint8_t { waits, granted, refused, over };

    void tell(State state);

    Breakers& breakers_;
    Server& server_;
    std::size_t line_;
    State state_ = State::over;
    std::function<void()> on_open_;
    bool is_stale_ = false;  ///< the server was found to be in trouble since it was let through
    std::chrono::milliseconds retry_after_{0};
    std::optional<base::SteadyTime> asked_at_;
    std::list<Turn*>::iterator place_{};  ///< in its line, or among those under way
    std::optional<async::Timer> patience_;
    async::OneShot<async::Unit>* told_ = nullptr;
  };

  /// Unset: the server is asked. Else when to come again.
  [[nodiscard]] std::optional<std::chrono::milliseconds> open_for(const std::string& server) const;

  /// A server has as much as it may, and its line moves: to lease more would only lengthen it.
  [[nodiscard]] bool is_congested() const;

 private:
  struct Server {
    std::string_view provider;
    std::size_t limit = kLimitFirst;
    std::list<Turn*> under_way;  ///< let through since it was last opened
    std::list<Turn*> stale;      ///< let through before that: they say nothing of it now
    base::SteadyTime moved_at;   ///< when its lines last moved
    std::array<std::list<Turn*>, std::size(rules::kPriorities)> lines{};  ///< by priority
    std::size_t troubles = 0;  ///< in a row, each of a request after the one before
    base::SteadyTime last_trouble;
    std::optional<base::SteadyTime> troubled_since;
    base::SteadyTime answered_at;  ///< last
    base::SteadyTime used_at;      ///< last
    std::optional<base::SteadyTime> open_until;
    const Turn* probe = nullptr;
    std::optional<async::Timer> watch;  ///< for silence, while something is under way

    [[nodiscard]] std::size_t waiting() const {
      std::size_t count = 0;
      for (const auto& line : lines) count += line.size();
      return count;
    }
    [[nodiscard]] bool is_idle() const {
      return under_way.empty() && stale.empty() && waiting() == 0;
    }
  };

  static constexpr std::size_t kLimitFirst = 64;
  static constexpr std::size_t kLimitMin = 4;
  static constexpr std::size_t kServersMax = 1000;

  [[nodiscard]] Server& server_of(std::string_view provider, const std::string& name);
  void enter(Turn& turn);
  void begin(Turn& turn);
  void end(Turn& turn);
  void refuse(Turn& turn);
  void watch(Server& server);
  void leave_line(Turn& turn);
  void call_next(Server& server);
  void went_well(Server& server);
  void was_trouble(Server& server, const Turn& turn, bool was_probe);
  void open(Server& server);
  void forget_one();
  [[nodiscard]] bool is_silent(const Server& server) const;
  /// Whether a line of a lower priority has given up a place.
  [[nodiscard]] bool make_room_for(const Turn& turn);
  [[nodiscard]] bool is_full(const Server& server) const {
    const std::size_t all = server.under_way.size() + server.stale.size() + server.waiting();
    return all >= parts_.policy.share;
  }
  [[nodiscard]] bool moves(const Server& server) const {
    return now() < server.moved_at + parts_.policy.moving;
  }
  [[nodiscard]] std::chrono::milliseconds parking(const Server& server) const;
  [[nodiscard]] base::SteadyTime now() const { return parts_.timers.clock().steady_now(); }

  Parts parts_;
  std::map<std::string, Server> servers_;  ///< by Provider::peer_of()
  std::size_t waiting_ = 0;                ///< in all lines
};

}  // namespace notify::flows
