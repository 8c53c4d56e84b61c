#include "stores/settings.hpp"

namespace notify::stores {

const rules::ConversationSettings& Settings::of(
    const std::optional<base::ConversationId>& conversation) const {
  static const rules::ConversationSettings kDefault;
  if (!conversation) return kDefault;
  const auto found = conversations.find(*conversation);
  return found == conversations.end() ? kDefault : found->second;
}

const SettingsPtr& default_settings() {
  static const SettingsPtr kDefault = std::make_shared<const Settings>();
  return kDefault;
}

}  // namespace notify::stores
