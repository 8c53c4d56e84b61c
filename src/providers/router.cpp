#include "providers/router.hpp"

#include <algorithm>
#include <string>

#include "rules/push_service.hpp"

namespace notify::providers {

Provider* Router::of(const rules::Device& device) const {
  const rules::PushService* service = rules::push_service_of(device);
  if (service == nullptr) return nullptr;
  const auto found = std::find_if(providers_.begin(), providers_.end(), [&](const Provider* each) {
    return each->name() == service->name;
  });
  return found == providers_.end() ? nullptr : *found;
}

std::optional<rules::Flaw> Router::flaw_of(const rules::Device& device) const {
  if (auto flaw = rules::flaw_of(device)) return flaw;
  if (const Provider* provider = of(device)) return provider->flaw_of(device);
  const rules::PushService* service = rules::push_service_of(device);
  if (service == nullptr) {
    return rules::Flaw{rules::LeftOut::no_provider,
                       "this version delivers to no device with such a platform and token"};
  }
  return rules::Flaw{rules::LeftOut::no_provider,
                     std::string(service->name) + " is not configured in this service"};
}

}  // namespace notify::providers
