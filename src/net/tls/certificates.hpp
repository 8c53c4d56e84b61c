#pragma once
// With what a server proves who it is, and knows whom to let in.

#include <string>

#include "base/expected.hpp"

namespace notify::net {

/// Paths of PEM files.
struct CertificateFiles {
  std::string cert_file;  ///< the server's certificate, then those that lead to its root
  std::string key_file;   ///< the private key to it, without a passphrase
  std::string ca_file;    ///< who must have signed a caller's certificate
};

/// Their contents, which fit together.
struct Certificates {
  std::string cert;
  std::string key;
  std::string ca;

  friend bool operator==(const Certificates&, const Certificates&) = default;
};

/// Errors: invalid: which file cannot be used, and what OpenSSL says of it.
[[nodiscard]] base::Expected<Certificates> read_certificates(const CertificateFiles& files);

}  // namespace notify::net
