#pragma once
// The world of one run: nodes that come and go, callers that repeat what they got no answer to, and
// faults, all drawn from one seed.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "fakes/journal.hpp"
#include "fakes/node.hpp"

namespace notify::sim {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

enum class Fault : std::uint8_t {
  crash,              ///< a node dies, between any two of its steps, and is started anew
  freeze,             ///< a node stands still, and goes on
  cut,                ///< nothing reaches a node or comes from it
  slow_link,          ///< everything takes a node long
  flaky_queue,        ///< operations of a node's queue fail, or their answers are lost
  flaky_ledger,       ///< the same of its ledger
  queue_down,         ///< for everybody
  queue_emptied,      ///< FLUSHALL
  queue_went_back,    ///< the server restarts with what it had some seconds ago
  queue_restarted,    ///< without loss
  ledger_down,        ///< for everybody
  provider_slow,      ///< answers are held back
  provider_down,      ///< everybody is told to come back later
  provider_cut,       ///< it accepts, and its answers are lost
  devices_down,       ///< auth-service
  clock_jump,         ///< a node's wall clock, by a second or two
  second_elected,     ///< the election is forgotten while the elected one goes on
  clock_off,          ///< a node's wall clock, by up to a minute
  commits_late,       ///< of appends, by up to ten minutes
  queue_failed_back,  ///< the server was a replica meanwhile, and lost what was written last
  flood,              ///< one user is sent far more than a node may have of one
  provider_dead,      ///< one of the three: it cannot be reached, or hangs
  left_alone,         ///< all nodes stop, and start again a day later
};
inline constexpr std::size_t kFaults = 23;
[[nodiscard]] const char* name(Fault fault);

/// Whether a notification may reach a device twice because of it, though nobody did anything wrong:
/// somebody has sent, and cannot say so, and another one must.
[[nodiscard]] bool excuses_repeats(Fault fault);

struct FaultWindow {
  Fault fault{};
  base::WallTime from;
  base::WallTime until = base::WallTime::max();  ///< of the fault itself, not of what it leaves
};

/// Whether a node may send too early or too late because of it.
[[nodiscard]] inline bool is_of_clocks(Fault fault) { return fault == Fault::clock_off; }

/// One request of a caller, and what it was told.
struct Request {
  base::UserId user;
  std::string user_text;
  std::string message_text;  ///< unlike that of every other request
  std::string key;           ///< empty: none
  std::string type;
  std::string conversation_text;  ///< empty: none, and so it is never grouped
  rules::Priority priority{};
  std::optional<base::WallTime> asked_first;
  std::optional<base::WallTime> told;           ///< OK, for the first time
  std::vector<base::NotificationId> told_ids;   ///< with each OK
  std::optional<base::WallTime> next_try;       ///< unset: under way, over, or not yet its turn
  bool is_followed = false;                     ///< by the next one, as soon as this one is told OK
  std::optional<milliseconds> ahead;            ///< scheduled for so long after it was asked first
  std::optional<milliseconds> cancelled_after;  ///< the caller takes it back so long after the OK
  std::optional<base::WallTime> next_cancel;    ///< as next_try
  std::optional<base::WallTime> cancelled;      ///< told so, for the first time
  int tries = 0;
};

struct WorldOptions {
  std::uint64_t seed = 1;
  std::size_t notifications = 1000;
  std::size_t nodes = 3;    ///< workers, rather: those of one machine share its fate
  std::size_t workers = 1;  ///< of a machine
  bool has_faults = true;
  bool is_left_alone = false;  ///< for a day, when the load is over
  milliseconds load = 40s;     ///< over which they are sent
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Load and faults, then peace until all is over. False if it is not over in time.
  bool run();

  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }
  [[nodiscard]] const std::vector<FaultWindow>& faults() const { return faults_; }
  [[nodiscard]] const fakes::Outside& outside() const { return outside_; }
  [[nodiscard]] const fakes::Journal& journal() const { return journal_; }
  /// What was found wrong while it ran.
  [[nodiscard]] const std::vector<std::string>& wrongs() const { return wrongs_; }
  [[nodiscard]] std::size_t crashes() const { return dead_.size(); }
  [[nodiscard]] static constexpr std::size_t in_flight_max() { return 200; }

 private:
  struct Call;
  struct CancelCall;
  struct Slot {
    std::unique_ptr<fakes::Node> node;
    std::size_t machine = 0;
    int number = 0;
    std::optional<base::SteadyTime> starts_at;  ///< of the next incarnation, if it is dead
  };
  struct Undo {
    base::SteadyTime at;
    std::size_t window;
    std::function<void()> undo;
  };

  void make_requests();
  void start_node(Slot& slot);
  [[nodiscard]] fakes::NodeOptions node_options();
  fakes::Node* any_node();
  void tick();
  void call_somebody();
  void cancel_some();
  void read_answers();
  void read_cancel_answers();
  void restart_the_dead();
  void begin_a_fault();
  void begin(Fault fault);
  void begin_at(Fault fault, Slot& slot);
  void add_flood();
  void leave_alone_for_a_day();
  [[nodiscard]] std::vector<Slot*> machine_of(const Slot& slot);
  void begin_everywhere(Fault fault);
  void begin_in_queue(Fault fault);
  [[nodiscard]] std::function<void()> later_at(int number, void (*end)(fakes::Node&));
  void everywhere(const std::function<void(fakes::Node&)>& act);
  void window(Fault fault, milliseconds lasts, std::function<void()> undo);
  void end_faults(bool all);
  void kill(Slot& slot);
  void look();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool is_forgotten(const fakes::FakeLedgerTable::Row& row) const;
  void wrong(std::string what);
  [[nodiscard]] std::size_t draw(std::size_t below) {
    return rng_.below(static_cast<std::uint32_t>(below));
  }
  [[nodiscard]] milliseconds between(milliseconds least, milliseconds most) {
    return least + milliseconds(draw(static_cast<std::size_t>((most - least).count()) + 1));
  }
  [[nodiscard]] base::SteadyTime steady_now() const { return outside_.clock.steady_now(); }
  [[nodiscard]] base::WallTime now() const { return outside_.clock.now(); }

  WorldOptions options_;
  base::SeededRng rng_;
  fakes::Outside outside_;
  fakes::Journal journal_{outside_.clock};
  std::vector<Request> requests_;
  std::size_t messages_made_ = 0;
  std::deque<std::shared_ptr<Call>> calls_;  ///< under way
  std::deque<std::shared_ptr<CancelCall>> cancels_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<fakes::Node>> dead_;
  std::vector<FaultWindow> faults_;
  std::vector<Undo> undos_;
  std::vector<std::string> wrongs_;
  base::SteadyTime next_fault_;
  std::optional<std::pair<int, std::uint64_t>> dies_after_;  ///< a node, after so many steps
  int nodes_made_ = 0;
};

}  // namespace notify::sim
