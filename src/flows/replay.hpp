#pragma once
// replay: dead letters that fit a filter → due. From there recover brings them to the queue, and
// deliver tries them with retries of their own.
//
// Nothing about a job is kept but what it has done: one that died is run again with the same
// filter, and leaves alone what waits or was delivered meanwhile.

#include <functional>
#include <string>

#include "base/async/timers.hpp"
#include "base/uuid.hpp"
#include "flows/refusal.hpp"
#include "stores/audit.hpp"
#include "stores/dead_letters.hpp"

namespace notify::flows {

struct ReplayRequest {
  stores::DeadLetterFilter filter;
  bool dry_run = false;  ///< only count
  /// They live so long from now, unless they do anyway. Unset: what has expired is left alone.
  std::optional<std::chrono::seconds> extend;
  std::int64_t rate = 200;  ///< how many become due in a second; at least 1
  std::string actor;        ///< who asks: for the audit
  std::string reason;       ///< why: for the audit
  std::string origin;       ///< the host the request came from: for the audit
};

enum class ReplayState : std::uint8_t { running = 1, done, stopped, failed };
[[nodiscard]] std::string_view name(ReplayState state);

struct ReplayProgress {
  base::ReplayJobId job;
  ReplayState state = ReplayState::running;
  std::int64_t looked_at = 0;   ///< notifications of the filter's time, whatever their status
  std::int64_t matched = 0;     ///< of these, dead letters that fit the filter
  stores::ReplayCounts counts;  ///< what became of them; of a dry run: what would
  base::WallTime reached;       ///< everything accepted before this was looked at
};

struct ReplayLimits {
  std::int32_t looked_at_max = 2000;  ///< rows that one question reads
  std::int32_t batch_max = 500;       ///< rows that one transaction writes
  /// How often recovery looks. Nothing is due earlier from now than this, so that all are in the
  /// queue before their time and leave it at the rate, not in heaps.
  std::chrono::milliseconds lead{10'000};
  std::chrono::milliseconds step_timeout{5000};
  std::chrono::milliseconds report_interval{1000};  ///< while nothing is found
  int tries_max = 5;                                ///< of a step that fails for the time being
  std::chrono::milliseconds retry_delay{1000};
};

/// What replay tells; the composition root binds it to logs.
struct ReplayEvents {
  std::function<void(const ReplayRequest&, const ReplayProgress&)> ended;
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it, and it outlives its jobs.
class Replay {
 public:
  struct Parts {
    stores::DeadLetters& letters;
    stores::Audit& audit;
    base::UuidV7Generator& ids;
    async::Timers& timers;
    ReplayLimits limits;
    ReplayEvents events;
  };
  /// Called at the start, and then once a second or more often. False: stop.
  using Tell = std::function<async::Task<bool>(const ReplayProgress&)>;

  explicit Replay(Parts parts) : parts_(std::move(parts)) {}

  /// Runs a job to its end; a dry run writes nothing.
  /// Errors: unavailable, timed_out: the job broke off; running it again does the rest.
  [[nodiscard]] async::Task<Answer<ReplayProgress>> run(ReplayRequest request, Tell tell);

  /// Every job ends before its next step, and no step is repeated any more.
  void stop() { stopping_ = true; }

 private:
  async::Task<base::Expected<void>> work(const ReplayRequest& request, const Tell& tell,
                                         ReplayProgress& progress);
  async::Task<base::Expected<stores::DeadLetterPage>> find(const ReplayRequest& request,
                                                           stores::DeadLetterStretch stretch);
  async::Task<base::Expected<stores::ReplayCounts>> replay(
      const ReplayRequest& request, const std::vector<stores::DeadLetter>& letters,
      base::ReplayJobId job);
  async::Task<base::Expected<void>> note(const ReplayRequest& request,
                                         const ReplayProgress& progress);
  template <class T>
  async::Task<base::Expected<T>> persist(std::string_view step,
                                         std::function<async::Task<base::Expected<T>>()> attempt);
  [[nodiscard]] base::WallTime now() const { return parts_.timers.clock().now(); }
  [[nodiscard]] base::Deadline soon() const {
    return parts_.timers.after(parts_.limits.step_timeout);
  }

  Parts parts_;
  bool stopping_ = false;
};

/// The audit's detail of a job: at its start what was asked for, at its end what came of it.
[[nodiscard]] std::string audit_detail(const ReplayRequest& request,
                                       const ReplayProgress& progress);

}  // namespace notify::flows
