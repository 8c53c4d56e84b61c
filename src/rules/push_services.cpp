#include <algorithm>
#include <array>

#include "rules/apns.hpp"
#include "rules/fcm.hpp"
#include "rules/push_service.hpp"
#include "rules/web_push.hpp"

namespace notify::rules {

std::span<const PushService> push_services() {
  static const std::array kAll = {fcm_service(), apns_service(), web_push_service()};
  return kAll;
}

const PushService* push_service_of(const Device& device) {
  const auto all = push_services();
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const PushService& service) { return service.serves(device); });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace notify::rules
