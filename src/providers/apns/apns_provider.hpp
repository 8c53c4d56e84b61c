#pragma once
// Apple Push Notification service over HTTP/2.

#include <memory>

#include "config/config.hpp"
#include "net/http2/pool.hpp"
#include "providers/apns/provider_token.hpp"
#include "providers/provider.hpp"
#include "providers/surroundings.hpp"
#include "rules/apns.hpp"

namespace notify::providers {

/// Sends one notification to one device, one HTTP/2 stream a call.
/// Threading: on the executor of `around.timers` only.
/// Lifetime:  `around` outlives this; stop() completes before destruction.
/// Errors:    never throws one: transport trouble is Outcome not_processed or unknown, 410
///            is token_gone.
/// Cancel:    the stream is reset; the notification may have been delivered.
/// Source:    Apple, "Sending notification requests to APNs".
class ApnsProvider final : public Provider {
 public:
  /// Connects to nothing yet.
  /// Errors: Errc::invalid for an endpoint, trust roots or a key that cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<Provider>> create(const config::Apns& config,
                                                                        rules::OwnTexts own,
                                                                        Surroundings around);

  [[nodiscard]] std::string_view name() const override { return "apns"; }
  [[nodiscard]] std::optional<rules::Flaw> flaw_of(const rules::Device& device) const override {
    return rules::apns_flaw_of(device, environment_);
  }
  [[nodiscard]] async::Task<rules::Outcome> send(const rules::Notification& notification,
                                                 const rules::Style& style,
                                                 const rules::Device& device,
                                                 base::Deadline deadline) override;
  [[nodiscard]] std::chrono::milliseconds request_timeout() const override {
    return config_.request_timeout;
  }
  [[nodiscard]] http2::PoolCounters counters() const override { return pool_->counters(); }
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline) override {
    return pool_->stop(deadline);
  }

 private:
  ApnsProvider(const config::Apns& config, rules::OwnTexts own, const base::Clock& clock,
               std::unique_ptr<http2::Pool> pool, crypto::Es256Key key);

  [[nodiscard]] http2::Request make_request(const rules::Notification& notification,
                                            const rules::Device& device, std::string path,
                                            const base::Secret& authorization) const;

  config::Apns config_;
  rules::OwnTexts own_;
  rules::Environment environment_;
  const base::Clock& clock_;
  std::unique_ptr<http2::Pool> pool_;
  ProviderToken token_;
};

}  // namespace notify::providers
