#pragma once
// The simulator's own trust: a private CA and a server certificate for localhost. Clients trust
// ca.pem the way they trust Apple's root in production.

#include <filesystem>
#include <string>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "push-simulator/openssl_handles.hpp"

namespace notify::simulator {

struct ServerIdentity {
  std::string ca_pem;
  std::string certificate_pem;
  std::string expired_pem;  ///< another one, of the same key, that has expired
  std::string key_pem;
};

/// Makes ca.pem, server.pem, expired.pem and server.key in `directory`, or takes over the ones of
/// an earlier run while they are valid for another day, so that clients survive a restart of the
/// simulator. The CA's key is thrown away once it has signed the two certificates. Errors:
/// unavailable if the directory cannot be written; internal if OpenSSL fails.
[[nodiscard]] base::Expected<ServerIdentity> load_or_make_identity(
    const std::filesystem::path& directory, base::WallTime now);

/// An EC P-256 key pair.
[[nodiscard]] base::Expected<KeyHandle> make_p256_key();

/// PKCS#8 PEM, the format of Apple's .p8 files.
[[nodiscard]] base::Expected<std::string> private_key_pem(EVP_PKEY& key);

}  // namespace notify::simulator
