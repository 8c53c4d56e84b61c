#pragma once
// Turns what auth-service says of a user's devices into our terms.

#include <vector>

#include "rules/notification.hpp"

namespace auth {
class GetUserDevicesResponse;
}

namespace notify::clients {

/// The active ones. A device that is not understood spoils no other: it has a nil id or an unknown
/// platform, and delivery leaves it out and records why.
/// Limits: 100, as auth.proto promises; of more, those that were registered last.
[[nodiscard]] std::vector<rules::Device> to_devices(const auth::GetUserDevicesResponse& response);

}  // namespace notify::clients
