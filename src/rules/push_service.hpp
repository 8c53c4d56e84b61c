#pragma once
// The push services: what the rules need to know of each. The clients that ask them are in
// providers/.

#include <cstddef>
#include <span>
#include <string_view>

#include "rules/meaning.hpp"
#include "rules/notification.hpp"

namespace notify::rules {

struct PushService {
  std::string_view name;    ///< in the column `provider` and in the labels of metrics
  std::size_t payload_max;  ///< bytes of the body of one request
  bool (*serves)(const Device& device);
  /// Bytes of the largest payload that a style can make of it, with its texts cut short. A
  /// notification with which this is over `payload_max` is not accepted.
  std::size_t (*least_payload)(const Notification& notification);
  /// Whether the service or its libraries write this key where `data` is: then no caller may.
  bool (*is_payload_key)(std::string_view key);
  std::span<const Meaning> answers;  ///< every answer, and what it leads to
};

/// All of them, in the order in which they are asked whether they serve a device.
[[nodiscard]] std::span<const PushService> push_services();
/// The one that serves this device; nullptr if none does.
[[nodiscard]] const PushService* push_service_of(const Device& device);

}  // namespace notify::rules
