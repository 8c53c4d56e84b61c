#pragma once
// APNs' endpoint: Apple's rules, and its answers.

#include <optional>
#include <string>

#include "base/uuid.hpp"
#include "push-simulator/apns_rules.hpp"
#include "push-simulator/provider_endpoint.hpp"

namespace notify::simulator {

/// Threading: one thread.
/// Lifetime:  everything referred to outlives this.
class ApnsEndpoint final : public ProviderEndpoint {
 public:
  static constexpr std::string_view kName = "apns";

  ApnsEndpoint(ApnsRules& rules, const Books& books, base::Rng& rng)
      : ProviderEndpoint(kName, books), rules_(rules), ids_(books.clock, rng) {}

 private:
  [[nodiscard]] Judgement judge(const HttpRequest& request, base::WallTime now) override;
  [[nodiscard]] HttpResponse scripted_answer(const Fault& fault,
                                             const Judgement& judgement) override;
  [[nodiscard]] std::string goaway_debug(std::string_view reason) override;

  ApnsRules& rules_;
  base::UuidV7Generator ids_;
};

}  // namespace notify::simulator
