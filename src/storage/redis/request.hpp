#pragma once
// One call on its way: shared by the caller, who may give up, and the connection, which must read
// the replies all the same.

#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/expected.hpp"
#include "storage/redis/command.hpp"
#include "storage/redis/reply.hpp"

namespace notify::redis {

struct Request {
  enum class State { waiting, sent, over };
  using Outcome = base::Expected<std::vector<Reply>>;

  Request(const async::Executor& executor, std::vector<Command> all)
      : commands(std::move(all)), expected(commands.size()), done(executor) {}

  /// The first outcome counts.
  void complete(Outcome outcome) {
    state = State::over;
    done.complete(std::move(outcome));
  }

  std::vector<Command> commands;
  std::size_t expected;
  async::OneShot<Outcome> done;
  State state = State::waiting;
  std::list<std::shared_ptr<Request>>::iterator place;  ///< in the client's line, while waiting
  std::size_t bytes = 0;
  std::vector<Reply> replies;
};

}  // namespace notify::redis
