#pragma once
// Between AdminService's messages and our types. What is wrong with a field is added to the
// violations; the limits are the ones that proto/notification/admin.proto states.

#include "flows/replay.hpp"
#include "notification/admin.pb.h"
#include "rules/validation.hpp"
#include "stores/dead_letters.hpp"

namespace notify::edges {

[[nodiscard]] stores::DeadLetterFilter to_stores(const notification::DeadLetterFilter& filter,
                                                 base::WallTime now, rules::Violations& violations);
[[nodiscard]] flows::ReplayRequest to_flows(const notification::ReplayNotificationsRequest& request,
                                            base::WallTime now, rules::Violations& violations);

void encode(const stores::DeadLetter& letter, notification::DeadLetter& to);
void encode(const flows::ReplayProgress& progress, notification::ReplayNotificationsResponse& to);

}  // namespace notify::edges
