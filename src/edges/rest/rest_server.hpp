#pragma once
// HTTP/1.1 for end users on one worker: connections, limits and time; what is answered is
// RestApi's. TLS and HTTP/2 are the gateway's, which stands in front.

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <list>

#include "base/async/condition.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "edges/http/connection.hpp"
#include "edges/http/listener.hpp"
#include "edges/rest/rest_api.hpp"
#include "telemetry/log.hpp"

namespace notify::edges::rest {

struct RestOptions {
  std::size_t connections_max = 1'000;
  std::size_t header_max_bytes = 16 * 1024;  ///< a token may be 8 KiB
  std::size_t request_max_bytes = 64 * 1024;
  /// Of reading a request from its first byte, of answering it, and of writing the answer: each.
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds idle_timeout{75'000};  ///< between two requests
  /// Called after each answer.
  std::function<void(unsigned status, std::chrono::nanoseconds took)> on_done;
};

/// Threading: the executor of `timers`.
/// Lifetime:  `timers` and `api` outlive this; stop() completes before destruction.
/// Limits:    RestOptions. At the limit a new connection takes the place of the one that has been
/// idle
///            for longest; if none is idle, it is closed at once.
class RestServer {
 public:
  RestServer(http::Listener::Acceptor acceptor, async::Timers& timers, RestApi& api,
             RestOptions options, const telemetry::Log& log);
  RestServer(const RestServer&) = delete;
  RestServer& operator=(const RestServer&) = delete;

  void start();

  /// Accepts nothing more, closes idle connections, and every other one after its answer.
  void drain();
  /// drain(), and waits for the end; what has not ended by `deadline` is cut off.
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline);

 private:
  struct Connection;
  struct Reading;
  async::Task<void> accept_loop();
  async::Task<void> serve(http::Socket socket);
  async::Task<bool> await_request(Connection& connection);
  async::Task<bool> exchange(Connection& connection);
  async::Task<std::optional<Reply>> answer(Connection& connection, Reading& reading);
  async::Task<boost::system::error_code> read_body(Connection& connection, Reading& reading);
  async::Task<bool> send(Connection& connection, const Reading& reading, Reply reply,
                         base::SteadyTime started);
  async::Task<base::Expected<void>> all_ended();

  async::Timers& timers_;
  RestApi& api_;
  RestOptions options_;
  telemetry::Log log_;
  http::Listener::Acceptor acceptor_;
  bool draining_ = false;
  std::size_t connections_ = 0;
  std::list<Connection*> idle_;  // for longest first
  async::Condition ended_;
  async::TaskGroup tasks_;  // the accept loop and one task for each connection
};

}  // namespace notify::edges::rest
