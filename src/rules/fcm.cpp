#include "rules/fcm.hpp"

#include <algorithm>

#include "base/json_object.hpp"
#include "rules/apns.hpp"
#include "rules/fcm_answer.hpp"
#include "rules/fitted_text.hpp"
#include "rules/retraction.hpp"

namespace notify::rules {
namespace {

using base::JsonObject;
using std::chrono::seconds;

/// FCM's longest storage: 28 days.
constexpr seconds kFcmTtlMax = std::chrono::hours(24 * 28);
/// A style can add this much: preview level, "quiet", and longer names of priorities.
constexpr std::size_t kFcmStyleRoom = 96;
/// The notification channel for what makes no sound. An app that has not created it gets its
/// default channel.
constexpr std::string_view kSilentChannel = "silent";
/// Web Push allows no longer topics (RFC 8030 §5.4).
constexpr std::size_t kTopicMax = 32;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// A Firebase installation id: 22 characters of base64url, the first four bits 0111. One of
/// hexadecimal digits alone would be a wonder: that is a token of Apple's.
/// Source: Firebase, "Manage Firebase installations".
bool is_installation_id(std::string_view text) {
  constexpr std::string_view kFirst = "cdef";
  return text.size() == 22 && kFirst.find(text[0]) != kFirst.npos &&
         std::all_of(text.begin(), text.end(), is_word) &&
         !std::all_of(text.begin(), text.end(), is_hex);
}

/// The input of one message.
struct Parts {
  const Notification& n;
  const Style& style;
  Platform platform;
  base::WallTime now;

  /// The app puts the notification on the screen, not FCM.
  [[nodiscard]] bool app_shows_it() const {
    return n.presentation.mutable_content && platform != Platform::ios;
  }
  [[nodiscard]] bool is_urgent() const {
    return n.priority == Priority::high && !n.presentation.background && !style.is_silent;
  }
  [[nodiscard]] std::string tag() const {
    return n.presentation.collapse_id.empty() ? n.id.to_string() : n.presentation.collapse_id;
  }
  [[nodiscard]] seconds time_to_live() const {
    const auto left = std::chrono::floor<seconds>(n.expires_at - now);
    return std::clamp(left, seconds(0), kFcmTtlMax);
  }
};

/// Every value of FCM's data is a string.
JsonObject data_of(const Parts& parts, const ShownTexts& shown) {
  const Presentation& p = parts.n.presentation;
  JsonObject data;
  data.text("notification_id", parts.n.id.to_string());
  if (parts.style.preview != PreviewLevel::full) data.text("preview", name(parts.style.preview));
  if (parts.style.is_silent && (p.background || parts.app_shows_it())) data.text("quiet", "true");
  if (!p.background && parts.app_shows_it()) {
    JsonObject alert;
    alert.text_if_set("title", shown.title)
        .text_if_set("body", shown.body)
        .text_if_set("sound", parts.style.sound)
        .text("tag", parts.tag())
        .text_if_set("category", p.category);
    if (p.badge) alert.number("badge", *p.badge);
    data.text("notification_alert", std::move(alert).finish());
  }
  for (const auto& [key, value] : p.data) {
    // An earlier version of this service accepted such keys.
    if (!is_fcm_payload_key(key)) data.text(key, value);
  }
  return data;
}

/// Whether FCM may hold messages that this one replaces by its collapse key. A visible notification
/// has no such key, so a retraction of one goes without: it would take one of the four places.
bool may_collapse(const Presentation& p) {
  return std::all_of(p.retracts.begin(), p.retracts.end(),
                     [](const Retracted& one) { return one.background; });
}

/// The two urgencies of Android: only HIGH wakes a phone that dozes.
JsonObject android_of(const Parts& parts) {
  const Presentation& p = parts.n.presentation;
  JsonObject android;
  android.text("priority", parts.is_urgent() ? "HIGH" : "NORMAL");
  android.text("ttl", std::to_string(parts.time_to_live().count()) + 's');
  // FCM keeps four keys for a device that is away. Visible notifications have a tag instead, which
  // has no such bound.
  if (p.background && may_collapse(p)) android.text_if_set("collapse_key", collapse_id_of(parts.n));
  if (p.background || parts.app_shows_it()) return android;
  const Style& style = parts.style;
  JsonObject shown;
  shown.text("tag", parts.tag());
  // Since Android 8 the channel decides on the sound: the type of a notification names it.
  shown.text("channel_id", style.sound.empty() ? kSilentChannel : std::string_view(parts.n.type));
  shown.text_if_set("sound", style.sound);
  shown.flag_if_set("default_vibrate_timings", style.vibrates);
  if (p.badge) shown.number("notification_count", *p.badge);
  if (style.is_silent || parts.n.priority == Priority::low) {
    shown.text("notification_priority", "PRIORITY_LOW");
  } else if (parts.is_urgent()) {
    shown.text("notification_priority", "PRIORITY_HIGH");
  }
  android.object("notification", std::move(shown));
  return android;
}

/// An Apple device that is registered with FCM: FCM makes `aps.alert` of `notification`, and custom
/// keys of `data`.
JsonObject apns_of(const Parts& parts, base::DeviceId device) {
  const Presentation& p = parts.n.presentation;
  const ApnsHeaders h = apns_headers(parts.n, device);
  JsonObject headers;
  headers.text("apns-push-type", h.push_type)
      .text("apns-priority", h.priority)
      .text("apns-expiration", h.expiration);
  if (!p.background) {
    headers.text("apns-collapse-id", parts.tag());
  } else {
    headers.text_if_set("apns-collapse-id", h.collapse_id);
  }
  JsonObject aps;
  if (p.background) {
    aps.number("content-available", 1);
  } else {
    if (p.badge) aps.number("badge", *p.badge);
    aps.text_if_set("sound", parts.style.sound);
    if (parts.style.is_silent) aps.text("interruption-level", "passive");
    if (parts.n.conversation) aps.text("thread-id", parts.n.conversation->to_string());
    aps.text_if_set("category", p.category);
    if (p.mutable_content) aps.number("mutable-content", 1);
  }
  JsonObject payload;
  payload.object("aps", std::move(aps));
  JsonObject apns;
  apns.object("headers", std::move(headers)).object("payload", std::move(payload));
  return apns;
}

std::string_view urgency_of(const Parts& parts) {
  if (parts.n.presentation.background || parts.style.is_silent) return "low";
  if (parts.is_urgent()) return "high";
  return parts.n.priority == Priority::low ? "low" : "normal";
}

/// A browser that is registered with FCM.
JsonObject webpush_of(const Parts& parts) {
  const Presentation& p = parts.n.presentation;
  JsonObject headers;
  headers.text("TTL", std::to_string(parts.time_to_live().count()));
  headers.text("Urgency", urgency_of(parts));
  const std::string& topic = collapse_id_of(parts.n);
  const bool is_topic =
      topic.size() <= kTopicMax && std::all_of(topic.begin(), topic.end(), is_word);
  if (is_topic) headers.text_if_set("Topic", topic);
  JsonObject webpush;
  webpush.object("headers", std::move(headers));
  if (p.background || parts.app_shows_it()) return webpush;
  JsonObject shown;
  shown.text("tag", parts.tag());
  // A browser plays its own sound or none.
  if (parts.style.sound.empty()) shown.raw("silent", "true");
  webpush.object("notification", std::move(shown));
  return webpush;
}

JsonObject message_of(const Parts& parts, const Device& device, const ShownTexts& shown) {
  JsonObject message(768);
  if (!parts.n.presentation.background && !parts.app_shows_it()) {
    JsonObject texts;
    texts.text_if_set("title", shown.title).text_if_set("body", shown.body);
    message.object("notification", std::move(texts));
  }
  message.object("data", data_of(parts, shown));
  switch (parts.platform) {
    case Platform::ios: message.object("apns", apns_of(parts, device.id)); break;
    case Platform::web: message.object("webpush", webpush_of(parts)); break;
    case Platform::android:
    case Platform::unknown: message.object("android", android_of(parts)); break;
  }
  return message;
}

/// The address comes last, after what counts as the payload.
std::string with_address(std::string message, std::string_view token) {
  message.back() = ',';
  message += is_installation_id(token) ? R"("fid":)" : R"("token":)";
  base::append_json_string(message, token);
  message += '}';
  return message;
}

std::size_t least_fcm_payload(const Notification& n) {
  Style style;
  style.sound = n.presentation.sound;
  if (style.sound == "default") style.sound.assign(kSoundMax, 'x');
  const std::string text(kTextAlwaysShown, 'x');
  std::size_t longest = 0;
  for (const Platform platform : {Platform::android, Platform::ios, Platform::web}) {
    const Parts parts{n, style, platform, n.begins_at()};
    longest =
        std::max(longest, std::move(message_of(parts, Device(), {text, text})).finish().size());
  }
  return longest + kFcmStyleRoom;
}

bool serves(const Device& device) {
  if (device.platform == Platform::android) return true;
  const bool may = device.platform == Platform::ios || device.platform == Platform::web;
  return may && is_fcm_token(device.token.reveal());
}

}  // namespace

bool is_fcm_payload_key(std::string_view key) {
  return std::find(kFcmPayloadKeys.begin(), kFcmPayloadKeys.end(), key) != kFcmPayloadKeys.end() ||
         key == "from" || key == "message_type" || key == "collapse_key" ||
         key.starts_with("google") || key.starts_with("gcm");
}

bool is_fcm_token(std::string_view token) {
  if (is_installation_id(token)) return true;
  // Since 2020 a token is an installation id, a colon, and the address proper. Older ones are of
  // the same alphabet, and long.
  constexpr std::size_t kLengthMin = 100;
  constexpr std::size_t kLengthMax = 4096;
  return token.size() >= kLengthMin && token.size() <= kLengthMax &&
         token.find(':') != token.npos &&
         std::all_of(token.begin(), token.end(), [](char c) { return is_word(c) || c == ':'; });
}

std::string fcm_body(const Notification& n, const Style& style, const Device& device,
                     const OwnTexts& own, base::WallTime now, FcmMode mode) {
  const Parts parts{n, style, device.platform, now};
  std::string message =
      fit_texts(shown_texts(n, style, own), kFcmPayloadMax, [&](const ShownTexts& shown) {
        return std::move(message_of(parts, device, shown)).finish();
      });
  JsonObject body;
  if (mode == FcmMode::validate_only) body.raw("validate_only", "true");
  body.raw("message", with_address(std::move(message), device.token.reveal()));
  return std::move(body).finish();
}

PushService fcm_service() {
  return {.name = "fcm",
          .payload_max = kFcmPayloadMax,
          .serves = serves,
          .least_payload = least_fcm_payload,
          .is_payload_key = is_fcm_payload_key,
          .answers = fcm_answers()};
}

}  // namespace notify::rules
