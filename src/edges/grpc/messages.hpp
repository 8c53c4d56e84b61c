#pragma once
// Between the wire's messages and our types.

#include "flows/accept.hpp"
#include "flows/cancel.hpp"
#include "flows/retract.hpp"
#include "notification/notification.pb.h"
#include "rules/validation.hpp"
#include "stores/history.hpp"

namespace notify::edges {

/// The request as rules see it.
/// Lifetime: views into the message.
[[nodiscard]] rules::SendRequest to_rules(const notification::SendNotificationRequest& request);

/// The order to retract, or everything that is wrong with the request. Unset: the call is by an id
/// alone, and removes nothing from devices.
[[nodiscard]] base::Expected<std::optional<flows::RetractOrder>, rules::Violations> to_retraction(
    const notification::CancelNotificationRequest& request);

void encode(const flows::Accepted& accepted, notification::SendNotificationResponse& to);
void encode(const flows::Answer<flows::Accepted>& answer, notification::SendNotificationResult& to);
void encode(const flows::Cancelled& cancelled, notification::CancelNotificationResponse& to);
void encode(const flows::Retracting& retracting, notification::CancelNotificationResponse& to);
void encode(const stores::HistoryRecord& record, notification::Notification& to);
void encode(const rules::Attempt& attempt, notification::DeliveryAttempt& to);
void encode(const stores::Replay& replay, notification::NotificationReplay& to);

}  // namespace notify::edges
