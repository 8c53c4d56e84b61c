#pragma once
// Tokens that a provider calls dead: they are reported to auth-service, unless there are so many of
// them that our own configuration is the likelier cause.
//
// One wrong endpoint, topic or key makes every token look dead. A registry that believed it would
// be empty within minutes, and its users would hear nothing until each had opened the app again.

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "clients/device_directory.hpp"
#include "rules/outcome.hpp"

namespace notify::flows {

/// When the word of a provider on its tokens is not believed any more.
struct BrakePolicy {
  std::chrono::milliseconds window = std::chrono::minutes(10);
  std::size_t share = 20;     ///< percent of the answers in the window; 100: never
  std::size_t gone_min = 10;  ///< and at least so many
  /// Reports wait so long: the first of many must not be reported before the others are seen.
  std::chrono::milliseconds report_delay = std::chrono::minutes(1);
};

struct DeadTokensEvents {
  std::function<void(std::string_view provider, bool is_on)> braked;
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
/// Limits:    1,000 reports that wait or are under way, and 1,000 peers; the next notification to a
///            token makes a new report.
class DeadTokens {
 public:
  struct Parts {
    clients::DeviceDirectory& devices;
    async::Timers& timers;
    BrakePolicy policy;
    std::chrono::milliseconds timeout;  ///< of a report
    DeadTokensEvents events;
  };
  DeadTokens(Parts parts, async::OnEscape on_escape);

  /// The server that said it, see Provider::peer_of(), and its push service.
  struct Source {
    std::string_view provider;
    const std::string& peer;
  };
  /// Counts what was said of a device's token. If the brake is on and the word is `token_gone`,
  /// makes it one about our configuration: it is retried, and calls an operator.
  void judge(Source source, base::DeviceId device, rules::Outcome& outcome);

  /// After `report_delay`, and if the brake for `peer` is off then.
  void report(const std::string& peer, clients::InvalidToken token);

  /// Drops the reports that wait: whether they are too many is not known yet, and the next
  /// notification to a dead token makes a new one. Waits for those that are under way.
  [[nodiscard]] async::Task<void> stop();

 private:
  struct Count {
    std::size_t accepted = 0;
    /// Each device once: a dead one that much is sent to is not many. At most kDevicesMax.
    std::set<base::DeviceId> gone;
  };
  struct Share {
    std::string_view provider;
    base::SteadyTime began;  ///< of `now`
    Count before;            ///< of the window before
    Count now;
    base::SteadyTime on_until = base::SteadyTime::min();
    bool was_on = false;
  };
  struct Waiting {
    base::SteadyTime until;
    std::string peer;
    clients::InvalidToken token;
  };

  [[nodiscard]] Share& share_of(const Source& source);
  [[nodiscard]] bool is_on(const std::string& peer) const;
  [[nodiscard]] bool is_over(const Share& share) const;
  void report_due();
  async::Task<void> send(clients::InvalidToken token);
  [[nodiscard]] base::SteadyTime now() const { return parts_.timers.clock().steady_now(); }

  Parts parts_;
  bool stopping_ = false;
  std::map<std::string, Share> shares_;  ///< by peer
  std::deque<Waiting> waiting_;
  async::Timer next_;
  async::TaskGroup reports_;
};

}  // namespace notify::flows
