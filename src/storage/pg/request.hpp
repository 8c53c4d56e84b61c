#pragma once
// One call on its way through the pool: shared by the caller, who may give up, and the connection,
// which must read the answer all the same.

#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/deadline.hpp"
#include "storage/pg/error.hpp"
#include "storage/pg/query.hpp"
#include "storage/pg/result.hpp"

namespace notify::pg {

class Connection;

struct Request {
  enum class State { waiting, sent, over };
  using Outcome = Expected<std::vector<Result>>;

  Request(const async::Executor& executor, std::vector<Query> all)
      : queries(std::move(all)), done(executor) {}

  /// The first outcome counts.
  void complete(Outcome outcome) {
    state = State::over;
    done.complete(std::move(outcome));
  }

  std::vector<Query> queries;
  async::OneShot<Outcome> done;
  State state = State::waiting;
  std::list<std::shared_ptr<Request>>::iterator place;  ///< in the pool's line, while waiting
  Connection* connection = nullptr;                     ///< once sent

  std::vector<Result> results;        ///< collected until the sync
  std::optional<QueryError> failure;  ///< the first one
};

}  // namespace notify::pg
