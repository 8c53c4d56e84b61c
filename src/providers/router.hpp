#pragma once
// Gives each device to the provider of its push service.

#include <vector>

#include "providers/provider.hpp"

namespace notify::providers {

/// Threading: that of its providers.
/// Lifetime:  the providers outlive this.
class Router {
 public:
  void add(Provider& provider) { providers_.push_back(&provider); }

  /// The provider that is asked for this device; nullptr: none is configured that could.
  [[nodiscard]] Provider* of(const rules::Device& device) const;

  /// Why nothing can ever be sent to this device.
  [[nodiscard]] std::optional<rules::Flaw> flaw_of(const rules::Device& device) const;

 private:
  std::vector<Provider*> providers_;
};

}  // namespace notify::providers
