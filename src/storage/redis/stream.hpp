#pragma once
// Bytes to and from one Redis node: a unix socket, or net's transport (TCP, TLS).

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/async/task.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "storage/redis/address.hpp"

namespace notify::net {
class TlsContext;
}

namespace notify::redis {

/// Threading: one executor; one read and one write may be under way at a time.
/// Lifetime:  outlives its reads and writes; close() ends them soon, not at once.
/// Errors:    Errc::unavailable or Errc::cancelled; every error is final.
class Stream {
 public:
  virtual ~Stream() = default;
  /// At least one byte; the end of the stream is an error.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> read(std::span<char> into) = 0;
  /// All of `bytes`, which live until the end.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> write(std::string_view bytes) = 0;
  virtual void close() = 0;
};

/// `tls` null: plain; it outlives the stream. Each phase is bounded by `timeout`.
[[nodiscard]] async::Task<base::Expected<std::shared_ptr<Stream>>> open_stream(
    async::Timers& timers, Address address, const net::TlsContext* tls,
    std::chrono::milliseconds timeout);

}  // namespace notify::redis
