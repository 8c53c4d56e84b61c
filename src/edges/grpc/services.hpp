#pragma once
// The services of ours, by the names under which health and reflection know them.

#include <algorithm>
#include <array>
#include <string_view>

namespace notify::edges {

inline constexpr std::array<std::string_view, 4> kServices = {
    "notification.NotificationService", "notification.PreferenceService",
    "notification.AdminService", "notification.TemplateService"};

[[nodiscard]] inline bool is_service(std::string_view name) {
  return std::find(kServices.begin(), kServices.end(), name) != kServices.end();
}

}  // namespace notify::edges
