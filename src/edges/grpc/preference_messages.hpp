#pragma once
// Between the messages of PreferenceService and the rows of the settings.

#include <string>

#include "notification/preference.pb.h"
#include "stores/settings.hpp"

namespace notify::edges {

void encode(base::UserId user, const stores::UserRow& row, notification::UserSettings& to);
void encode(base::UserId user, const stores::ConversationRow& row,
            notification::ConversationSettings& to);

/// Puts what a caller asks for into the columns. `mask`: the fields to change, or all that are set.
/// Returns what is wrong, with paths from the request on; then the columns are as they were.
[[nodiscard]] rules::Violations apply(const notification::UserSettings& wanted,
                                      const google::protobuf::FieldMask& mask,
                                      rules::UserColumns& columns);
[[nodiscard]] rules::Violations apply(const notification::ConversationSettings& wanted,
                                      const google::protobuf::FieldMask& mask,
                                      rules::ConversationColumns& columns);
[[nodiscard]] rules::Violations apply(const notification::QuietHours& wanted,
                                      rules::UserColumns& columns);

}  // namespace notify::edges
