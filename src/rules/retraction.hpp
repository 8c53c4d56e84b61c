#pragma once
// A retraction: a background notification that tells apps which notifications to remove. Callers
// cannot send one. The cancel call makes it (flows/retract.hpp), and it is recorded, queued, sent
// and explained as every other notification.
//
// Its `data` says all that an app needs:
//
//   retracted_ids           a JSON array of notification ids
//   retracted_collapse_ids  a JSON array of their collapse ids; not there if none has one
//   badge                   the new number on the icon; not there if the caller gave none
//
// So a version that does not know retractions sends one as an ordinary background notification.

#include <chrono>
#include <functional>
#include <vector>

#include "rules/notification.hpp"

namespace notify::rules {

/// The type in the record and in metrics.
inline constexpr const char* kRetractionType = "retraction";
/// A retraction lives no longer than a message does by default: a message that its push service
/// still holds has expired by then.
inline constexpr std::chrono::hours kRetractionLife{4};

/// As few retractions as the payload limits of all push services allow. Each is for originals of
/// one priority, so that it waits in the same line as they do. `next_id` makes their ids.
/// Errors: none; without originals there are no retractions.
[[nodiscard]] std::vector<Notification> make_retractions(
    const std::vector<Notification>& originals, std::optional<std::int32_t> badge,
    const std::function<base::NotificationId()>& next_id);

/// Takes out of a retraction what needs no removal any more. `retracts` may become empty.
void keep_retracted(Notification& retraction,
                    const std::function<bool(base::NotificationId)>& is_kept);

/// The collapse id of the request to a push service. That of a retraction is the one that all of
/// its originals share: it then replaces what the push service still holds of them. Empty: none.
[[nodiscard]] const std::string& collapse_id_of(const Notification& notification);

}  // namespace notify::rules
