#pragma once
// Web Push: browsers, each through the push service that its vendor runs.

#include <memory>
#include <string>

#include "config/config.hpp"
#include "crypto/web_push.hpp"
#include "providers/provider.hpp"
#include "providers/surroundings.hpp"
#include "providers/webpush/origin_pools.hpp"
#include "providers/webpush/vapid_tokens.hpp"
#include "rules/web_push.hpp"
#include "rules/web_push_subscription.hpp"

namespace notify::providers {

/// Encrypts one notification for one browser and sends it to the endpoint of its subscription.
/// - Endpoints come from users. The host must be allowed, and has to have a public address when it
///   is connected to, unless it is one of webpush.private_hosts. Redirects are not followed.
/// - A flaw of our own policy never gives up a token.
/// Threading: on the executor of `around.timers` only.
/// Lifetime:  `around` outlives this; stop() completes before destruction.
/// Errors:    never throws one: transport trouble is Outcome not_processed or unknown, 404 and
///            410 are token_gone.
/// Cancel:    the stream is reset; the notification may have been delivered.
/// Source:    RFC 8030 (requests), RFC 8291 (encryption), RFC 8292 (VAPID).
class WebPushProvider final : public Provider {
 public:
  /// Connects to nothing yet.
  /// Errors: Errc::invalid for a key that cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<Provider>> create(
      const config::WebPush& config, rules::OwnTexts own, Surroundings around);

  [[nodiscard]] std::string_view name() const override { return "webpush"; }
  [[nodiscard]] std::optional<rules::Flaw> flaw_of(const rules::Device& device) const override;
  [[nodiscard]] async::Task<rules::Outcome> send(const rules::Notification& notification,
                                                 const rules::Style& style,
                                                 const rules::Device& device,
                                                 base::Deadline deadline) override;
  /// The origin of its subscription.
  [[nodiscard]] std::string peer_of(const rules::Device& device) const override;
  [[nodiscard]] std::chrono::milliseconds request_timeout() const override {
    return config_.request_timeout;
  }
  [[nodiscard]] http2::PoolCounters counters() const override { return pools_.counters(); }
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline) override {
    return pools_.stop(deadline);
  }

 private:
  WebPushProvider(const config::WebPush& config, rules::OwnTexts own, VapidTokens tokens,
                  Surroundings around);

  [[nodiscard]] base::Expected<rules::WebPushSubscription> usable(const base::Secret& token) const;
  [[nodiscard]] base::Expected<http2::Request> make_request(
      const rules::Notification& notification, const rules::Style& style,
      const rules::WebPushSubscription& subscription);
  [[nodiscard]] http2::PoolOptions pool_options(
      const rules::WebPushSubscription& subscription) const;

  config::WebPush config_;
  rules::WebPushTexts texts_;
  rules::WebPushHosts hosts_;
  VapidTokens tokens_;
  const base::Clock& clock_;
  OriginPools pools_;
};

}  // namespace notify::providers
