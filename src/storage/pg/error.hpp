#pragma once
// What a failed statement tells its caller: which kind of failure it was, and whether the commit
// may have happened all the same.
//
// Nothing here ever holds a parameter value. PostgreSQL puts values into DETAIL and CONTEXT, and
// for data errors (class 22) into the message itself, so of those only the code is kept.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/expected.hpp"

namespace notify::pg {

/// What a caller can do about it; finer than Errc, since a writer bisects its batch by it.
enum class Fault {
  bad_data,         ///< class 22 and 23: a row is wrong; find it and fail its caller
  duplicate,        ///< 23505, 23P01: a row with this key exists
  no_partition,     ///< 23514 without a constraint: the row's id lies outside the partitions
  contention,       ///< class 40, 55P03: serialization, deadlock, lock timeout: run it again
  stale_statement,  ///< 0A000, 26000: the schema changed under a prepared statement: run it again
  connection,       ///< the connection was lost, or there was none
  server,       ///< the server refused: shutdown, out of resources, read-only, statement timeout
  deadline,     ///< the caller's deadline passed
  bound,        ///< too many are waiting in this process
  stopping,     ///< the pool is being stopped
  programming,  ///< everything else: the SQL or the call is wrong
};

/// Errors: `outcome_unknown` is true when the statements had been handed to the connection and no
///         answer came: look the ids up before answering. False: nothing was committed.
struct QueryError {
  base::Error error;
  Fault fault = Fault::programming;
  std::string sqlstate;  ///< five characters, or empty if the failure is not PostgreSQL's
  std::string table;     ///< names of schema objects, if the server gave them
  std::string constraint;
  bool outcome_unknown = false;

  /// A row of the batch is at fault, so halving the batch finds it.
  [[nodiscard]] bool is_data_error() const {
    return fault == Fault::bad_data || fault == Fault::duplicate || fault == Fault::no_partition;
  }
  /// Nothing was committed, and the same call may succeed next time.
  [[nodiscard]] bool is_safe_to_retry() const {
    return !outcome_unknown && (fault == Fault::contention || fault == Fault::stale_statement ||
                                fault == Fault::connection || fault == Fault::server);
  }
};

template <class T>
using Expected = base::Expected<T, QueryError>;

[[nodiscard]] inline base::Unexpected<QueryError> fail(QueryError error) {
  return base::Unexpected<QueryError>(std::move(error));
}
/// A failure that did not come from the server.
[[nodiscard]] base::Unexpected<QueryError> fail(Fault fault, base::Errc code, std::string detail,
                                                bool outcome_unknown = false);

/// The fields of an ErrorResponse that may be kept.
struct Diagnosis {
  std::string_view sqlstate;
  std::string_view message;  ///< the primary message; dropped where it can hold values
  std::string_view table;
  std::string_view constraint;
};

[[nodiscard]] QueryError classify(const Diagnosis& diagnosis);

/// True for errors after which the session itself is of no more use: a standby after a failover, or
/// prepared statements that no longer fit the schema.
[[nodiscard]] bool session_is_stale(std::string_view sqlstate);

}  // namespace notify::pg
