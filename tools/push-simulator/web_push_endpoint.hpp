#pragma once
// The endpoint of a push service for browsers: its rules, and its answers.

#include <string>

#include "base/uuid.hpp"
#include "push-simulator/browsers.hpp"
#include "push-simulator/provider_endpoint.hpp"
#include "push-simulator/web_push_rules.hpp"

namespace notify::simulator {

/// Threading: one thread.
/// Lifetime:  everything referred to outlives this.
class WebPushEndpoint final : public ProviderEndpoint {
 public:
  static constexpr std::string_view kName = "webpush";

  WebPushEndpoint(WebPushRules& rules, const Subscriptions& subscriptions, Browsers& browsers,
                  const Books& books, base::Rng& rng)
      : ProviderEndpoint(kName, books),
        rules_(rules),
        subscriptions_(subscriptions),
        browsers_(browsers),
        ids_(books.clock, rng) {}

 private:
  [[nodiscard]] Judgement judge(const HttpRequest& request, base::WallTime now) override;
  [[nodiscard]] HttpResponse scripted_answer(const Fault& fault,
                                             const Judgement& judgement) override;
  [[nodiscard]] std::string goaway_debug(std::string_view reason) override;
  void deliver(const HttpRequest& request, const Judgement& judgement) override;

  WebPushRules& rules_;
  const Subscriptions& subscriptions_;
  Browsers& browsers_;
  base::UuidV7Generator ids_;
};

}  // namespace notify::simulator
