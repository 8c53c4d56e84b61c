#include "rules/settings.hpp"

namespace notify::rules {

std::string_view name(PreviewLevel level) {
  switch (level) {
    case PreviewLevel::full: return "full";
    case PreviewLevel::sender: return "sender";
    case PreviewLevel::none: return "none";
  }
  return "";
}

std::optional<PreviewLevel> parse_preview_level(std::string_view text) {
  for (const auto level : {PreviewLevel::full, PreviewLevel::sender, PreviewLevel::none}) {
    if (text == name(level)) return level;
  }
  return std::nullopt;
}

std::string_view name(NotificationLevel level) {
  switch (level) {
    case NotificationLevel::all: return "all";
    case NotificationLevel::mentions: return "mentions";
    case NotificationLevel::none: return "none";
  }
  return "";
}

std::optional<NotificationLevel> parse_notification_level(std::string_view text) {
  for (const auto level :
       {NotificationLevel::all, NotificationLevel::mentions, NotificationLevel::none}) {
    if (text == name(level)) return level;
  }
  return std::nullopt;
}

}  // namespace notify::rules
