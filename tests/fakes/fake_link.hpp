#pragma once
// What is between a flow and its stores in a test: time that passes on the way there and back, and
// faults that strike on either way. Every fake of one node shares one link, so that cutting it cuts
// the node off from the world.

#include <chrono>
#include <optional>
#include <utility>

#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "base/rng.hpp"
#include "fakes/journal.hpp"

namespace notify::fakes {

/// A switch: while it is on, an operation fails instead of being done, or after it was done.
class FakeFault {
 public:
  enum class When { before_effect, after_effect };
  static constexpr int kAlways = -1;

  void fail(base::Errc code, int times = kAlways, When when = When::before_effect) {
    error_ = base::Error{code, "a fault of the test"};
    left_ = times;
    when_ = when;
  }
  /// The operation is done, but its caller is told otherwise.
  void lose_answers(int times = kAlways) { fail(base::Errc::timed_out, times, When::after_effect); }
  /// So many of a hundred operations fail; half of these are done all the same.
  void flaky(base::Rng& rng, unsigned percent) {
    fail(base::Errc::timed_out);
    rng_ = &rng;
    percent_ = percent;
  }
  void clear() {
    error_.reset();
    rng_ = nullptr;
  }
  [[nodiscard]] int strikes() const { return strikes_; }

  [[nodiscard]] std::optional<base::Error> strike(When when) {
    if (rng_ != nullptr) {
      if (rng_->below(200) >= percent_) return std::nullopt;
      ++strikes_;
      return error_;
    }
    if (!error_ || when != when_ || left_ == 0) return std::nullopt;
    if (left_ > 0) --left_;
    ++strikes_;
    return error_;
  }

 private:
  std::optional<base::Error> error_;
  When when_ = When::before_effect;
  int left_ = 0;
  int strikes_ = 0;
  base::Rng* rng_ = nullptr;
  unsigned percent_ = 0;
};

/// Threading: the executor of `timers`.
struct FakeLink {
  async::Timers& timers;
  std::chrono::milliseconds one_way{1};
  bool is_cut = false;  ///< nothing of this node reaches the world any more, nor comes back
  int node = 0;         ///< whose link it is, in the journal
  Journal* journal = nullptr;

  void note(Journal::Entry entry) {
    if (journal == nullptr) return;
    entry.node = node;
    journal->add(entry);
  }

  /// Goes there, does `effect`, which returns an Expected, and comes back.
  template <class Effect, class Result = std::invoke_result_t<Effect&>>
  [[nodiscard]] async::Task<Result> travel(FakeFault& fault, Effect effect) {
    co_await timers.sleep_for(one_way);
    if (is_cut) co_return base::fail(base::Errc::unavailable, "the node is cut off");
    if (auto error = fault.strike(FakeFault::When::before_effect)) {
      co_return base::fail(std::move(*error));
    }
    Result result = effect();
    co_await timers.sleep_for(one_way);
    if (is_cut) co_return base::fail(base::Errc::timed_out, "the node is cut off");
    if (auto error = fault.strike(FakeFault::When::after_effect)) {
      co_return base::fail(std::move(*error));
    }
    co_return result;
  }
};

}  // namespace notify::fakes
