#pragma once
// The files with which a server proves who it is, and knows whom to let in.

#include <string>

#include "base/expected.hpp"

namespace notify::net {

/// Paths of PEM files.
struct CertificateFiles {
  std::string cert_file;  ///< the server's certificate, then those that lead to its root
  std::string key_file;   ///< the private key to it, without a passphrase
  std::string ca_file;    ///< who must have signed a caller's certificate
};

/// Whether they can be used, before a server starts with them: later, each handshake would fail.
/// Errors: invalid: which file, and what OpenSSL says of it.
[[nodiscard]] base::Expected<void> check_certificates(const CertificateFiles& files);

}  // namespace notify::net
