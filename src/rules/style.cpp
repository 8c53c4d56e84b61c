#include "rules/style.hpp"

#include <utility>

namespace notify::rules {

Style style_of(const Circumstances& facts, const Decision& decision) {
  Style style;
  style.is_silent = decision.verdict == Verdict::deliver_silently;
  style.preview = facts.conversation.preview.value_or(facts.user.preview);
  // A background push is for the app alone.
  if (facts.notification.presentation.background) {
    style.vibrates = false;
    return style;
  }
  style.vibrates = facts.user.vibration_enabled && !style.is_silent;
  const bool sounds =
      facts.user.sound_enabled && facts.conversation.sound_enabled && !style.is_silent;
  if (sounds || facts.is_critical) {
    const std::string& sent = facts.notification.presentation.sound;
    style.sound = sent == "default" ? facts.user.notification_sound : sent;
  }
  return style;
}

ShownTexts shown_texts(const Notification& n, const Style& style, const OwnTexts& own) {
  if (style.preview == PreviewLevel::none) return {own.hidden_title, own.hidden_body};
  if (style.stands_for > 1) {
    std::string summary = own.summary;
    const auto mark = summary.find(kCountMark);
    if (mark != std::string::npos) {
      summary.replace(mark, kCountMark.size(), std::to_string(style.stands_for));
    }
    return {n.title, std::move(summary)};
  }
  // A body that was not sent is not hidden: nothing is put in its place.
  const bool hides = style.preview == PreviewLevel::sender && !n.body.empty();
  return {n.title, hides ? own.hidden_body : n.body};
}

}  // namespace notify::rules
