#pragma once
// A certificate authority of the test's own and certificates for local servers, made by the openssl
// command line once a process.

#include <filesystem>
#include <string>

namespace notify::http2 {

struct PrivateCa {
  std::filesystem::path folder;
  std::string ca;           ///< PEM, trusted by the tests
  std::string other_ca;     ///< PEM of an authority that signed nothing
  std::string key;          ///< of the server
  std::string certificate;  ///< of the server, for `localhost` only: not for 127.0.0.1

  PrivateCa();
  ~PrivateCa();
  PrivateCa(const PrivateCa&) = delete;
  PrivateCa& operator=(const PrivateCa&) = delete;

  /// Throws if openssl fails.
  [[nodiscard]] static const PrivateCa& instance();
};

}  // namespace notify::http2
