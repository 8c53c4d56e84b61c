#pragma once
// A connected byte stream to one host, TLS or plain, under the protocols of net. It knows nothing
// of what the bytes mean.

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/async/task.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "net/tls/context.hpp"

namespace notify::net {

/// The addresses of a host that may be connected to.
enum class Reach : std::uint8_t {
  any_address = 1,
  public_addresses,  ///< see net/dns/public_address.hpp: for hosts that users name
};

struct Endpoint {
  std::string host;
  std::uint16_t port = 443;
  Reach reach = Reach::any_address;
};

/// One limit for each phase, for a phase that hangs must be known by its name.
struct ConnectTimeouts {
  std::chrono::milliseconds resolve{5'000};
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds handshake{5'000};
};

/// Threading: the executor of `timers`; one read and one write may be under way at a time.
/// Lifetime:  outlives its reads and writes; close() ends them soon, not at once.
/// Errors:    Errc::unavailable for the network, Errc::cancelled after close().
/// Cancel:    read() and write() throw operation_aborted; only close() makes sense afterwards.
class Transport {
 public:
  /// Resolves anew each time (APNs asks for that), tries the addresses in turn, then, given a
  /// `tls`, shakes hands: SNI, the host name against the certificate, ALPN.
  /// Lifetime: `tls` outlives the transport.
  /// The connection is made to the addresses of that one answer, so a name server cannot tell us
  /// a public address first and a private one later.
  /// Errors:   Errc::permission_denied if the host has no address that `reach` allows;
  ///           Errc::timed_out by phase; Errc::unauthenticated if the certificate is not trusted or
  ///           not for this host; Errc::unavailable for the rest, also for a refused ALPN.
  /// Cancel:   throws operation_aborted. A lookup that hangs holds up no other name (net/dns).
  [[nodiscard]] static async::Task<base::Expected<std::unique_ptr<Transport>>> connect(
      async::Timers& timers, Endpoint endpoint, const TlsContext* tls, ConnectTimeouts timeouts);

  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// At least one byte. The end of the stream is an error.
  [[nodiscard]] async::Task<base::Expected<std::size_t>> read(std::span<char> into);

  /// All of `bytes`, which must live until the end.
  [[nodiscard]] async::Task<base::Expected<std::size_t>> write(std::string_view bytes);

  /// Ends what is under way. No TLS close_notify: the protocols above say goodbye themselves.
  void close();

  struct Native;

 private:
  explicit Transport(std::unique_ptr<Native> native);
  std::unique_ptr<Native> native_;
};

}  // namespace notify::net
