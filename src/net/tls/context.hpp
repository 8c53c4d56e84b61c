#pragma once
// What a TLS client trusts and offers, read and checked once at start-up and shared by all of its
// connections.

#include <memory>
#include <string>

#include "base/expected.hpp"

namespace notify::net {

struct TlsOptions {
  std::string ca_file;      ///< PEM; empty: the roots of the system
  std::string alpn = "h2";  ///< the one protocol offered and required; empty: no ALPN
};

/// Trust roots, TLS 1.2 as the minimum, and the ALPN offer. The host name is checked for each
/// connection, by Transport.
/// Threading: made once; then shared by the connections of one executor.
/// Lifetime:  outlives the Transports made with it.
class TlsContext {
 public:
  /// Errors: Errc::invalid if the file with the roots cannot be read or the protocol is no name.
  [[nodiscard]] static base::Expected<std::unique_ptr<TlsContext>> create(
      const TlsOptions& options);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] const std::string& alpn() const { return alpn_; }

  struct Native;  ///< defined in native.hpp, for transport.cpp only
  [[nodiscard]] Native& native() const { return *native_; }

 private:
  explicit TlsContext(std::string alpn);

  std::string alpn_;
  std::unique_ptr<Native> native_;
};

}  // namespace notify::net
