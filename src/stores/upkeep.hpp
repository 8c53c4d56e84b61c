#pragma once
// What the elected node does in PostgreSQL. Redis elects, and can elect a second one while the
// first does not know: so each takes a fencing token here, the greater one rules, and whatever is
// done is done in a transaction that looks at it. (M. Kleppmann, "How to do distributed locking",
// 2016.)

#include <cstdint>
#include <string>

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"

namespace notify::stores {

/// Greater than that of everybody who was elected before.
struct FencingToken {
  std::int64_t value = 0;
};

class Upkeep {
 public:
  virtual ~Upkeep() = default;

  /// From now on every older token is void. `holder` is for people.
  [[nodiscard]] virtual async::Task<base::Expected<FencingToken>> take_office(
      std::string holder, base::Deadline deadline) = 0;

  /// Makes the partitions of this month and the three after it that are missing (D-4). Returns how
  /// many there were.
  /// Errors: conflict if somebody has been elected since.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> make_partitions(
      FencingToken token, base::Deadline deadline) = 0;

  /// Deletes what was kept for long enough. Returns how many partitions and rows that were.
  /// A failure does not stop the rest; the error is the first one.
  /// Errors: conflict if somebody has been elected since; invalid if the clocks of this node and of
  ///         PostgreSQL differ, since then neither tells what is old.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> retire(
      FencingToken token, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
