#pragma once
// Turns what auth-service says of a user's devices into our terms.

#include <vector>

#include "base/expected.hpp"
#include "rules/notification.hpp"

namespace auth {
class GetUserDevicesResponse;
}

namespace notify::clients {

/// The active ones. A device that is not understood spoils no other: it has a nil id or an unknown
/// platform, and delivery leaves it out and records why.
/// Errors: corrupt: they are more than auth.proto promises.
[[nodiscard]] base::Expected<std::vector<rules::Device>> to_devices(
    const auth::GetUserDevicesResponse& response);

}  // namespace notify::clients
