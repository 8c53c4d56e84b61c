#pragma once
// Google's endpoint: the token server at /token, and FCM at /v1/projects/<project>/messages:send.

#include <string>
#include <string_view>

#include "base/uuid.hpp"
#include "push-simulator/fcm_rules.hpp"
#include "push-simulator/oauth_server.hpp"
#include "push-simulator/provider_endpoint.hpp"

namespace notify::simulator {

/// Threading: one thread.
/// Lifetime:  everything referred to outlives this.
class FcmEndpoint final : public ProviderEndpoint {
 public:
  static constexpr std::string_view kName = "fcm";

  FcmEndpoint(FcmRules& rules, OauthServer& oauth, const Books& books, base::Rng& rng)
      : ProviderEndpoint(kName, books), rules_(rules), oauth_(oauth), ids_(books.clock, rng) {}

 private:
  [[nodiscard]] Judgement judge(const HttpRequest& request, base::WallTime now) override;
  [[nodiscard]] HttpResponse scripted_answer(const Fault& fault,
                                             const Judgement& judgement) override;
  [[nodiscard]] std::string goaway_debug(std::string_view reason) override;

  [[nodiscard]] Judgement judge_grant(const HttpRequest& request, base::WallTime now);
  [[nodiscard]] Judgement judge_message(const HttpRequest& request, std::string_view project,
                                        base::WallTime now);

  FcmRules& rules_;
  OauthServer& oauth_;
  base::UuidV7Generator ids_;
  FcmVerdict verdict_;  ///< what the last Judgement refers to
  std::string project_;
};

}  // namespace notify::simulator
