#pragma once
// Firebase Cloud Messaging, the HTTP v1 API over HTTP/2.

#include <memory>
#include <string>

#include "config/config.hpp"
#include "net/http2/pool.hpp"
#include "providers/fcm/access_token.hpp"
#include "providers/fcm/send_quota.hpp"
#include "providers/provider.hpp"
#include "providers/surroundings.hpp"
#include "rules/fcm_answer.hpp"

namespace notify::providers {

/// Sends one notification to one device, one HTTP/2 stream a call.
/// Threading: on the executor of `around.timers` only.
/// Lifetime:  `around` outlives this; stop() completes before destruction.
/// Errors:    never throws one: transport trouble, or no access token to be had, is Outcome
///            not_processed or unknown; UNREGISTERED is token_gone. A 401 about the access token
///            fetches a new one and sends once more.
/// Cancel:    the stream is reset; the notification may have been delivered.
/// Limits:    a share of `fcm.messages_per_minute`. A push over it waits for its turn, at most
///            200 ms; else it is tried when its turn has come.
/// Source:    Firebase, "Send messages using the FCM HTTP v1 API".
class FcmProvider final : public Provider {
 public:
  /// Connects to nothing yet. `workers` share the node's part of the quota.
  /// Errors: Errc::invalid for an endpoint, trust roots or a credentials file that cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<Provider>> create(const config::Fcm& config,
                                                                        std::size_t workers,
                                                                        rules::OwnTexts own,
                                                                        Surroundings around);

  [[nodiscard]] std::string_view name() const override { return "fcm"; }
  [[nodiscard]] std::optional<rules::Flaw> flaw_of(const rules::Device& device) const override;
  [[nodiscard]] async::Task<rules::Outcome> send(const rules::Notification& notification,
                                                 const rules::Style& style,
                                                 const rules::Device& device,
                                                 base::Deadline deadline) override;
  [[nodiscard]] std::chrono::milliseconds request_timeout() const override {
    return request_timeout_;
  }
  [[nodiscard]] http2::PoolCounters counters() const override { return pool_->counters(); }
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline) override;

 private:
  struct Parts {
    std::unique_ptr<http2::Pool> pool;
    std::unique_ptr<AccessGrants> grants;
    std::string project_id;
  };
  FcmProvider(const config::Fcm& config, std::size_t workers, rules::OwnTexts own,
              const Surroundings& around, Parts parts);

  [[nodiscard]] static base::Expected<Parts> make_parts(const config::Fcm& config,
                                                        const Surroundings& around);
  [[nodiscard]] async::Task<base::Expected<base::Secret>> authorization(base::Deadline deadline);
  [[nodiscard]] http2::Request make_request(std::string body,
                                            const base::Secret& authorization) const;
  [[nodiscard]] async::Task<rules::Outcome> exchange(std::string body, base::Deadline deadline);

  std::chrono::milliseconds request_timeout_;
  rules::OwnTexts own_;
  async::Timers& timers_;
  std::string path_;
  std::unique_ptr<http2::Pool> pool_;
  std::unique_ptr<AccessGrants> grants_;
  AccessToken token_;
  SendQuota quota_;
};

}  // namespace notify::providers
