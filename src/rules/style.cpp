#include "rules/style.hpp"

namespace notify::rules {

Style style_of(const Circumstances& facts, const Decision& decision) {
  Style style;
  style.is_silent = decision.verdict == Verdict::deliver_silently;
  style.preview = facts.conversation.preview.value_or(facts.user.preview);
  style.vibrates = facts.user.vibration_enabled && !style.is_silent;
  const bool sounds =
      facts.user.sound_enabled && facts.conversation.sound_enabled && !style.is_silent;
  if (sounds || facts.is_critical) {
    const std::string& sent = facts.notification.presentation.sound;
    style.sound = sent == "default" ? facts.user.notification_sound : sent;
  }
  return style;
}

ShownTexts shown_texts(const Notification& n, PreviewLevel preview, const HiddenTexts& hidden) {
  switch (preview) {
    case PreviewLevel::full: break;
    // A body that was not sent is not hidden: nothing is put in its place.
    case PreviewLevel::sender: return {n.title, n.body.empty() ? std::string_view() : hidden.body};
    case PreviewLevel::none: return {hidden.title, hidden.body};
  }
  return {n.title, n.body};
}

}  // namespace notify::rules
