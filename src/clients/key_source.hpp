#pragma once
// The port to where the keys of end users' tokens are published, and its two adapters: a URL, as
// identity services have one (`/.well-known/jwks.json`), and a local file.

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/async/timers.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "net/http1/get.hpp"

namespace notify::clients {

class KeySource {
 public:
  virtual ~KeySource() = default;

  struct Document {
    std::string json;                             ///< a JWK Set, not looked at yet
    std::optional<std::chrono::seconds> max_age;  ///< how long its publisher calls it fresh
  };
  /// Errors: unavailable, timed_out, unauthenticated (TLS), corrupt.
  [[nodiscard]] virtual async::Task<base::Expected<Document>> fetch(base::Deadline deadline) = 0;
};

/// Asks the one URL that is configured, never one that a token names.
/// Threading: the executor of `timers`.
/// Lifetime:  `timers` outlives this.
/// Limits:    64 KiB; redirects are not followed.
class KeyUrl final : public KeySource {
 public:
  /// `ca_file`: PEM; empty: the roots of the system.
  /// Errors: Errc::invalid for a URL or trust roots that cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<KeyUrl>> create(async::Timers& timers,
                                                                      std::string_view url,
                                                                      std::string ca_file);
  [[nodiscard]] async::Task<base::Expected<Document>> fetch(base::Deadline deadline) override;

 private:
  KeyUrl(async::Timers& timers, http1::Url url, std::unique_ptr<net::TlsContext> tls);

  async::Timers& timers_;
  http1::Url url_;
  std::unique_ptr<net::TlsContext> tls_;  // unset for http
};

/// Reads a small local file, at once.
/// Limits: 64 KiB.
class KeyFile final : public KeySource {
 public:
  explicit KeyFile(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] async::Task<base::Expected<Document>> fetch(base::Deadline deadline) override;

 private:
  std::filesystem::path path_;
};

/// The `max-age` of a Cache-Control header; nullopt if there is none. `no-store` and `no-cache` are
/// an age of 0. Source: RFC 9111 §5.2.2.
[[nodiscard]] std::optional<std::chrono::seconds> max_age_of(std::string_view cache_control);

}  // namespace notify::clients
