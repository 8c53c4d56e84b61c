#include "rules/web_push.hpp"

#include <algorithm>
#include <array>

#include "base/json_object.hpp"
#include "rules/fitted_text.hpp"
#include "rules/web_push_answer.hpp"

namespace notify::rules {
namespace {

constexpr std::int64_t kDeclarative = 8030;  // the number of the RFC is the form's mark
constexpr std::array<std::string_view, 3> kDataKeys = {"notification_id", "preview", "quiet"};

base::JsonObject data_of(const Notification& n, const Style& style) {
  base::JsonObject data;
  data.text("notification_id", n.id.to_string());
  if (style.preview != PreviewLevel::full) data.text("preview", name(style.preview));
  if (n.presentation.background && style.is_silent) data.text("quiet", "true");
  for (const auto& [key, value] : n.presentation.data) {
    if (!is_web_push_data_key(key)) data.text(key, value);
  }
  return data;
}

std::string background_payload(const Notification& n, const Style& style) {
  base::JsonObject payload(512);
  payload.flag_if_set("background", true);
  payload.object("data", data_of(n, style));
  return std::move(payload).finish();
}

std::string visible_payload(const Notification& n, const Style& style, std::string_view app_url,
                            const ShownTexts& shown) {
  const Presentation& p = n.presentation;
  // A browser has one sound: a notification sounds, or it is silent. It may not vibrate then.
  const bool is_silent = style.is_silent || style.sound.empty();
  base::JsonObject notification(512);
  notification.text("title", shown.title).text("navigate", app_url);
  notification.text_if_set("body", shown.body);
  notification.text("tag", p.collapse_id.empty() ? n.id.to_string() : p.collapse_id);
  notification.flag_if_set("renotify", !p.collapse_id.empty() && !is_silent);
  notification.flag_if_set("silent", is_silent);
  if (!is_silent && !style.vibrates) notification.raw("vibrate", "[]");
  if (p.badge) notification.text("app_badge", std::to_string(*p.badge));
  notification.number("timestamp", n.begins_at().time_since_epoch().count());
  notification.object("data", data_of(n, style));
  base::JsonObject payload(1024);
  payload.number("web_push", kDeclarative);
  payload.object("notification", std::move(notification));
  payload.text_if_set("category", p.category);
  payload.flag_if_set("mutable", p.mutable_content);
  return std::move(payload).finish();
}

std::size_t least_web_push_payload(const Notification& n) {
  Style style;
  style.preview = PreviewLevel::sender;  // the longest name
  style.is_silent = true;
  if (n.presentation.background) return background_payload(n, style).size();
  // "silent":true or "vibrate":[] and "renotify":true, whichever of them is not in.
  constexpr std::size_t kStyleRoom = 32;
  const std::string text(kTextAlwaysShown, 'x');
  return visible_payload(n, style, std::string(kAppUrlMax, 'x'), {text, text}).size() + kStyleRoom;
}

bool is_subscription(const Device& device) {
  return device.platform == Platform::web && device.token.reveal().starts_with('{');
}

}  // namespace

std::string web_push_payload(const Notification& n, const Style& style, const WebPushTexts& texts) {
  if (n.presentation.background) return background_payload(n, style);
  return fit_texts(
      shown_texts(n, style, texts.own), kWebPushPayloadMax,
      [&](const ShownTexts& shown) { return visible_payload(n, style, texts.app_url, shown); });
}

bool is_web_push_data_key(std::string_view key) {
  return std::find(kDataKeys.begin(), kDataKeys.end(), key) != kDataKeys.end();
}

std::string web_push_ttl(const Notification& n, std::string_view host, base::WallTime now) {
  using std::chrono::seconds;
  constexpr seconds kTtlMax = std::chrono::hours(24 * 28);
  const bool refuses_zero = host.ends_with(".notify.windows.com");
  const auto left = std::chrono::floor<seconds>(n.expires_at - now);
  return std::to_string(std::clamp(left, seconds(refuses_zero ? 1 : 0), kTtlMax).count());
}

std::string_view web_push_urgency(const Notification& n) {
  switch (n.priority) {
    case Priority::high: return "high";
    case Priority::medium: return "normal";
    case Priority::low: return "low";
  }
  return "normal";
}

PushService web_push_service() {
  return {.name = "webpush",
          .payload_max = kWebPushPayloadMax,
          .serves = is_subscription,
          .least_payload = least_web_push_payload,
          .is_payload_key = is_web_push_data_key,
          .answers = web_push_answers()};
}

}  // namespace notify::rules
