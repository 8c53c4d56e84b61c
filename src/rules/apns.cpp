#include "rules/apns.hpp"

#include <algorithm>
#include <array>

#include "base/json_object.hpp"
#include "rules/apns_answer.hpp"
#include "rules/fitted_text.hpp"
#include "rules/retraction.hpp"

namespace notify::rules {
namespace {

/// A style can add this much: the interruption level or "quiet", and the preview level.
constexpr std::size_t kApnsStyleRoom = 52;

/// `aps` of a visible notification: alert, badge, sound, thread-id, category, mutable-content.
base::JsonObject aps_of_alert(const Notification& n, const Style& style, const ShownTexts& shown) {
  base::JsonObject alert;
  alert.text_if_set("title", shown.title).text_if_set("body", shown.body);
  base::JsonObject aps;
  aps.object("alert", std::move(alert));
  if (n.presentation.badge) aps.number("badge", *n.presentation.badge);
  aps.text_if_set("sound", style.sound);
  if (style.is_silent) aps.text("interruption-level", "passive");
  if (n.conversation) aps.text("thread-id", n.conversation->to_string());
  aps.text_if_set("category", n.presentation.category);
  if (n.presentation.mutable_content) aps.number("mutable-content", 1);
  return aps;
}

std::string payload_of(const Notification& n, const Style& style, const ShownTexts& shown) {
  base::JsonObject payload(512);
  payload.object("aps", n.presentation.background
                            ? std::move(base::JsonObject().number("content-available", 1))
                            : aps_of_alert(n, style, shown));
  payload.text("notification_id", n.id.to_string());
  if (style.preview != PreviewLevel::full) payload.text("preview", name(style.preview));
  if (n.presentation.background && style.is_silent) payload.flag_if_set("quiet", true);
  for (const auto& [key, value] : n.presentation.data) {
    // An earlier version of this service accepted such keys.
    if (!is_apns_payload_key(key)) payload.text(key, value);
  }
  return std::move(payload).finish();
}

std::size_t least_apns_payload(const Notification& n) {
  Style style;
  style.sound = n.presentation.sound;
  if (style.sound == "default") style.sound.assign(kSoundMax, 'x');
  const std::string text(kTextAlwaysShown, 'x');
  return payload_of(n, style, {text, text}).size() + kApnsStyleRoom;
}

}  // namespace

ApnsHeaders apns_headers(const Notification& n, base::DeviceId device) {
  using std::chrono::duration_cast;
  const auto expiry = duration_cast<std::chrono::seconds>(n.expires_at.time_since_epoch());
  const bool power_aware = n.presentation.background || n.priority == Priority::low;
  // A new id for every notification and device, the same for every try.
  return {.id = attempt_id(n.id, device, 0).to_string(),
          .push_type = n.presentation.background ? "background" : "alert",
          .priority = power_aware ? "5" : "10",
          .expiration = std::to_string(expiry.count()),
          .collapse_id = collapse_id_of(n)};
}

bool is_apns_payload_key(std::string_view key) {
  return std::find(kApnsPayloadKeys.begin(), kApnsPayloadKeys.end(), key) != kApnsPayloadKeys.end();
}

std::string apns_payload(const Notification& n, const Style& style, const OwnTexts& own) {
  return fit_texts(shown_texts(n, style, own), kApnsPayloadMax,
                   [&](const ShownTexts& shown) { return payload_of(n, style, shown); });
}

std::optional<Flaw> apns_flaw_of(const Device& device, Environment asked) {
  if (device.environment == Environment::unknown || device.environment == asked) {
    return std::nullopt;
  }
  return Flaw{LeftOut::other_environment, "its token is of Apple's environment " +
                                              std::string(name(device.environment)) +
                                              ", and APNs is asked in " + std::string(name(asked))};
}

PushService apns_service() {
  return {.name = "apns",
          .payload_max = kApnsPayloadMax,
          .serves = [](const Device& device) { return device.platform == Platform::ios; },
          .least_payload = least_apns_payload,
          .is_payload_key = is_apns_payload_key,
          .answers = apns_answers()};
}

std::string apns_path(const base::Secret& token) {
  const std::string_view hex = token.reveal();
  const bool is_hex = !hex.empty() && std::all_of(hex.begin(), hex.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (!is_hex) return {};
  return "/3/device/" + std::string(hex);
}

}  // namespace notify::rules
