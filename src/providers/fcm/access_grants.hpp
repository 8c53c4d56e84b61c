#pragma once
// The port to where access tokens for Google's APIs come from, and its two adapters: the token
// server, which takes a service account's signature, and the metadata server of Google Cloud's
// machines, which needs none.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/async/task.hpp"
#include "base/async/timers.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "base/secret.hpp"
#include "net/http1/get.hpp"
#include "net/http2/pool.hpp"
#include "providers/fcm/service_account.hpp"

namespace notify::providers {

struct AccessGrant {
  base::Secret token;
  std::chrono::seconds expires_in{0};
};

class AccessGrants {
 public:
  virtual ~AccessGrants() = default;
  /// Errors: unauthenticated if our credentials are refused; unavailable, timed_out, corrupt.
  /// Cancel: throws operation_aborted.
  [[nodiscard]] virtual async::Task<base::Expected<AccessGrant>> fetch(base::Deadline deadline) = 0;
  /// Lets an open request end until `deadline`, then closes. Call it once.
  [[nodiscard]] virtual async::Task<void> stop(base::Deadline deadline) = 0;
};

/// Reads `{"access_token":"..","expires_in":3599,"token_type":"Bearer"}`, or the `error` of a
/// refusal. Nothing of a body reaches an error but that code.
/// Source: RFC 6749 §5.1 and §5.2.
[[nodiscard]] base::Expected<AccessGrant> parse_access_grant(int status, std::string_view body);

/// Signs an assertion and exchanges it at the account's `token_uri`, over one connection.
/// Threading: on the executor of the pool only.
/// Lifetime:  `clock` outlives this; stop() completes before destruction.
class ServiceAccountGrants final : public AccessGrants {
 public:
  /// `ca_file`: PEM; empty: the roots of the system.
  /// Errors: Errc::invalid for a `token_uri` or trust roots that cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<AccessGrants>> create(
      ServiceAccount account, std::string ca_file, async::Timers& timers, base::Rng& rng,
      async::OnEscape on_escape);

  [[nodiscard]] async::Task<base::Expected<AccessGrant>> fetch(base::Deadline deadline) override;
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline) override {
    return pool_->stop(deadline);
  }

 private:
  ServiceAccountGrants(ServiceAccount account, std::string path, std::unique_ptr<http2::Pool> pool,
                       const base::Clock& clock);

  ServiceAccount account_;
  std::string path_;
  std::unique_ptr<http2::Pool> pool_;
  const base::Clock& clock_;
};

/// Asks the metadata server for the token of the machine's service account.
/// Threading: on the executor of `timers` only.
/// Lifetime:  `timers` outlives this.
/// Source:    Google Cloud, "About VM metadata": the header Metadata-Flavor goes both ways.
class MetadataGrants final : public AccessGrants {
 public:
  static constexpr std::string_view kServer = "http://metadata.google.internal";

  /// `server` is an origin, as kServer.
  /// Errors: Errc::invalid for what is none.
  [[nodiscard]] static base::Expected<std::unique_ptr<AccessGrants>> create(std::string_view server,
                                                                            async::Timers& timers);

  [[nodiscard]] async::Task<base::Expected<AccessGrant>> fetch(base::Deadline deadline) override;
  [[nodiscard]] async::Task<void> stop(base::Deadline) override { co_return; }

 private:
  MetadataGrants(http1::Url url, async::Timers& timers) : url_(std::move(url)), timers_(timers) {}

  http1::Url url_;
  async::Timers& timers_;
};

}  // namespace notify::providers
