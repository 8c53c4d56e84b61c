#pragma once
// Apple Push Notification service over HTTP/2.

#include <string>

#include "net/http2/pool.hpp"
#include "providers/apns/provider_token.hpp"
#include "providers/provider.hpp"

namespace notify::providers {

/// Sends one notification to one device, one HTTP/2 stream a call.
/// Threading: on the executor of `pool` only.
/// Lifetime:  `pool` and `token` outlive this.
/// Errors:    never throws one: transport trouble is Outcome retry_later or unknown, 410 is
///            token_gone.
/// Cancel:    the stream is reset; the notification may have been delivered.
/// Source:    Apple, "Sending notification requests to APNs".
class ApnsProvider final : public Provider {
 public:
  struct Options {
    std::string topic;  ///< for devices that name no app of their own
    rules::OwnTexts own;
  };
  ApnsProvider(http2::Pool& pool, ProviderToken& token, const base::Clock& clock, Options options);

  [[nodiscard]] async::Task<rules::Outcome> send(const rules::Notification& notification,
                                                 const rules::Style& style,
                                                 const rules::Device& device,
                                                 base::Deadline deadline) override;

 private:
  [[nodiscard]] http2::Request make_request(const rules::Notification& notification,
                                            const rules::Device& device, std::string path,
                                            const base::Secret& authorization) const;

  http2::Pool& pool_;
  ProviderToken& token_;
  const base::Clock& clock_;
  Options options_;
};

}  // namespace notify::providers
