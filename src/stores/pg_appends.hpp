#pragma once
// The ledger's way in: group commit of what is accepted, each request once.
//
// One statement does it all (pg_ledger_sql.hpp, kAppend) and may be run again after any failure:
// what went in the first time is found by its key, under its own id.

#include "base/async/batcher.hpp"
#include "base/async/timers.hpp"
#include "storage/pg/pool.hpp"
#include "stores/ledger.hpp"

namespace notify::stores {

struct PgAppendOptions {
  async::BatcherLimits batches{.batch_max = 500,
                               .flights_max = 2,
                               .waiting_max = 20'000,
                               .interval = std::chrono::milliseconds(4)};
  std::chrono::milliseconds write_timeout{5000};
  std::chrono::milliseconds look_up_timeout{1000};  ///< of what got no answer
};

/// Threading: the executor of `timers`.
/// Lifetime:  `pool` and `timers` outlive this; stop() completes before destruction.
class PgAppends {
 public:
  using Results = std::vector<base::Expected<Appended>>;

  PgAppends(pg::Pool& pool, async::Timers& timers, const PgAppendOptions& options,
            const async::OnEscape& on_escape);

  /// As Ledger::append().
  [[nodiscard]] async::Task<Results> append(std::vector<Submission> submissions, std::string lane) {
    return batches_.submit(std::move(submissions), std::move(lane));
  }
  /// As Ledger::find_repeats().
  [[nodiscard]] async::Task<Results> find_repeats(std::vector<Submission> submissions);
  [[nodiscard]] async::Task<void> stop() { return batches_.stop(); }

 private:
  /// How the runs of a batch went so far.
  struct Tries {
    int looks_left;               ///< how often a key that was taken while it ran is looked for
    bool may_be_written = false;  ///< a run got no answer
  };
  struct Repeat;

  async::Task<Results> append_batch(std::vector<Submission> batch, Tries tries);
  async::Task<pg::Expected<pg::Result>> write(const std::vector<Submission>& batch, Tries& tries);
  async::Task<pg::Expected<pg::Result>> run(const std::vector<Submission>& batch,
                                            base::Deadline deadline);
  async::Task<Results> settle(std::vector<Submission> batch, pg::Result left_out, Tries tries);
  async::Task<Results> append_halves(std::vector<Submission> batch, Tries tries);
  async::Task<void> ask_holders(const std::vector<Submission>& batch,
                                std::vector<std::size_t>& taken, Results& results);
  async::Task<void> tell_repeats(std::vector<Repeat> repeats, Results& results);
  async::Task<void> append_again(std::vector<Submission> taken, std::vector<std::size_t> indices,
                                 Results& results, Tries tries);

  pg::Pool& pool_;
  async::Timers& timers_;
  PgAppendOptions options_;
  async::Batcher<Submission, Appended> batches_;
};

/// Makes the partitions that hold `instant`, and those of the day before.
[[nodiscard]] async::Task<bool> make_partitions(pg::Pool& pool, base::WallTime instant,
                                                base::Deadline deadline);

}  // namespace notify::stores
