#pragma once
// The addresses of a host's name, asked of the system. getaddrinfo() blocks and cannot be
// interrupted, for half a minute if a name server does not answer. Asio's resolver has one thread
// for each io_context: a name that hangs there holds up every other name, and with them all
// reconnects. Here each name has a thread of its own while it is looked up.

#include <boost/asio/ip/address.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/async/task.hpp"
#include "base/expected.hpp"

namespace notify::net {

using Addresses = std::vector<boost::asio::ip::address>;

/// One question, asked when it is made. All who ask for one name at one time share the answer.
/// Threading: `executor`.
/// Lifetime:  no longer than the io_context of `executor`. That does not wait for a thread that
///            hangs: the thread ends by itself, and its answer is dropped.
/// Limits:    32 names at once in one io_context.
class Lookup {
 public:
  Lookup(async::Executor executor, std::string host);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  /// Call it once. In the order that the system prefers; an address is its own answer.
  /// Errors: Errc::unavailable for a name without an address, Errc::overloaded at the limit.
  /// Cancel: throws operation_aborted; the thread goes on, for others who ask for the name.
  [[nodiscard]] async::Task<base::Expected<Addresses>> answer();
  /// answer() would not wait.
  [[nodiscard]] bool is_answered() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// As Lookup, in one call.
[[nodiscard]] async::Task<base::Expected<Addresses>> look_up(async::Executor executor,
                                                             std::string host);

}  // namespace notify::net
