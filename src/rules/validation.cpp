#include "rules/validation.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "rules/checker.hpp"
#include "rules/lengths.hpp"
#include "rules/push_service.hpp"
#include "rules/style.hpp"

namespace notify::rules {
namespace {

constexpr std::size_t kTypeMax = 50;
constexpr std::size_t kDataEntriesMax = 64;
constexpr std::size_t kDataKeyMax = 64;
constexpr std::size_t kDataValueMax = 2048;
constexpr std::size_t kShortTextMax = 64;  // Apple's limit for apns-collapse-id
constexpr std::int32_t kBadgeMax = 1'000'000;
constexpr std::size_t kLabelsMax = 16;
constexpr std::size_t kIdempotencyKeyMax = 128;
constexpr std::chrono::days kExpiryMax{28};  // FCM's limit, the shortest of the providers
constexpr std::chrono::days kDeliverAtMax{28};

constexpr const char* kTimeForm =
    "must be a time from 1970 to 9999 with 0 to 999,999,999 nanoseconds";

using Lines = Checker::Lines;
using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_key_character(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

void check_own_texts(Checker& check, const SendRequest& r) {
  if (base::is_blank(r.title)) {
    check.add("title",
              "is required unless `template` or `background` is set; blanks and characters without "
              "width are no title");
  } else if (check.readable("title", r.title, Lines::allowed) &&
             *base::utf8_length(r.title) > kTitleCharactersMax) {
    check.add("title", "is " + std::to_string(*base::utf8_length(r.title)) +
                           " characters long; at most 255 are allowed");
  }
  check.text("body", r.body, kBodyBytesMax, Lines::allowed);
}

void check_no_own_texts(Checker& check, const SendRequest& r, const std::string& instead) {
  const std::string description = "must be empty when `" + instead + "` is set";
  if (!r.title.empty()) check.add("title", description);
  if (!r.body.empty()) check.add("body", description);
  if (!r.sound.empty()) check.add("sound", description);
}

void check_texts(Checker& check, const SendRequest& r) {
  if (r.background) {
    check_no_own_texts(check, r, "background");
    if (r.badge) check.add("badge", "must not be set when `background` is set");
    if (r.template_use) check.add("template", "must not be set when `background` is set");
    return;
  }
  if (r.template_use) {
    check_no_own_texts(check, r, "template");
  } else {
    check_own_texts(check, r);
  }
  if (r.badge && !is_badge(*r.badge)) check.add("badge", kBadgeForm);
}

/// What the template made of it; nullptr if it uses none, or in vain.
const Rendering* read_rendering(Checker& check, const SendRequest& r,
                                const RenderResult* rendered) {
  if (!r.template_use || r.background) return nullptr;
  if (rendered == nullptr) {
    check.add("template", "cannot be used here");
    return nullptr;
  }
  if (!*rendered) {
    for (const Violation& violation : rendered->error()) {
      check.add(violation.field, violation.description);
    }
    return nullptr;
  }
  if (base::is_blank((*rendered)->text.title)) {
    check.add("template.variables",
              "leave the title empty: give at least one of its variables a value that can be seen");
  }
  return &**rendered;
}

/// Keys that this service writes into a payload, and those of FCM. An Android app never sees the
/// latter. Source: Firebase, "About FCM messages", and Constants.MessagePayloadKeys of its Android
/// SDK, which has collapse_key too.
bool is_reserved(std::string_view key) {
  const auto services = push_services();
  const auto has_it = [&](const PushService& service) { return service.is_payload_key(key); };
  return std::any_of(services.begin(), services.end(), has_it) || key == "from" ||
         key == "message_type" || key == "collapse_key" || key.starts_with("google") ||
         key.starts_with("gcm") || key.starts_with("aps");
}

/// `data["key"]`; a key that is not fit to be shown is named by its place.
std::string entry_name(std::string_view map, std::string_view key, std::size_t place) {
  const bool showable = !key.empty() && key.size() <= kDataKeyMax &&
                        std::all_of(key.begin(), key.end(), is_key_character);
  std::string name(map);
  if (showable) return name.append("[\"").append(key).append("\"]");
  return name + "[entry " + std::to_string(place + 1) + " by key order]";
}

void check_data(Checker& check, const Pairs& data) {
  if (data.size() > kDataEntriesMax) {
    check.add("data", "has " + std::to_string(data.size()) + " entries; at most 64 are allowed");
    return;
  }
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto& [key, value] = data[i];
    const std::string field = entry_name("data", key, i);
    const bool well_formed = !key.empty() && key.size() <= kDataKeyMax &&
                             std::all_of(key.begin(), key.end(), is_key_character);
    if (!well_formed) {
      check.add(field, "the key must be 1 to 64 letters, digits, '_', '-' or '.'");
    } else if (is_reserved(key)) {
      check.add(field, "the key is reserved by a provider or by this service: choose another");
    } else {
      check.text(field, value, kDataValueMax, Lines::allowed);
    }
  }
}

void check_labels(Checker& check, const Pairs& labels) {
  if (labels.size() > kLabelsMax) {
    check.add("labels",
              "has " + std::to_string(labels.size()) + " entries; at most 16 are allowed");
    return;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& [key, value] = labels[i];
    const std::string field = entry_name("labels", key, i);
    const bool lengths_ok = !key.empty() && key.size() <= kShortTextMax && !value.empty() &&
                            value.size() <= kShortTextMax;
    if (!lengths_ok) {
      check.add(field, "key and value must be 1 to 64 bytes each");
    } else if (check.readable(field, key, Lines::refused)) {
      check.readable(field, value, Lines::refused);
    }
  }
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Texts are cut to what has room, see rules/fitted_text.hpp; the rest must fit, whatever the
/// user's settings are and whichever devices they have.
void check_payload(Checker& check, const Notification& n) {
  for (const PushService& service : push_services()) {
    const std::size_t size = service.least_payload(n);
    if (size <= service.payload_max) continue;
    check.add("data", "makes a payload of " + std::to_string(size) + " bytes for " +
                          std::string(service.name) +
                          ", with the other fields and short texts; at "
                          "most " +
                          std::to_string(service.payload_max) + " are allowed: send less data");
    return;
  }
}

void check_idempotency_key(Checker& check, std::string_view key) {
  if (key.size() > kIdempotencyKeyMax || !is_printable(key)) {
    check.add("idempotency_key", "must be at most 128 printable ASCII characters");
  }
}

/// It becomes a header, of which HTTP/2 allows no more than this (RFC 9113 §8.2.1).
void check_collapse_id(Checker& check, std::string_view id) {
  if (!check.short_text("collapse_id", id, kShortTextMax)) return;
  if (!is_printable(id) || id.starts_with(' ') || id.ends_with(' ')) {
    check.add("collapse_id",
              "must be printable ASCII characters, without a space at its beginning or end");
  }
}

std::optional<Priority> read_priority(Checker& check, std::int32_t number) {
  switch (number) {
    case 0: return Priority::medium;
    case 1: return Priority::high;
    case 2: return Priority::medium;
    case 3: return Priority::low;
    default:
      check.add("priority", "is " + std::to_string(number) +
                                ", which is none of PRIORITY_HIGH (1), PRIORITY_MEDIUM (2), "
                                "PRIORITY_LOW (3)");
      return std::nullopt;
  }
}

/// Unset: at once.
std::optional<base::WallTime> read_deliver_at(Checker& check, const SendRequest& r,
                                              base::WallTime now) {
  if (r.deliver_at_malformed) check.add("deliver_at", kTimeForm);
  if (!r.deliver_at || base::WallTime(*r.deliver_at) <= now) return std::nullopt;
  const base::WallTime wanted(*r.deliver_at);
  if (wanted > now + kDeliverAtMax) {
    check.add("deliver_at",
              "must be at most 28 days ahead; this server's clock says " + base::to_rfc3339(now));
  }
  return wanted;
}

base::WallTime read_expiry(Checker& check, const SendRequest& r, const Notification& n,
                           std::chrono::seconds lifetime) {
  if (r.expires_at_malformed) check.add("expires_at", kTimeForm);
  if (!r.expires_at) return n.begins_at() + lifetime;
  const base::WallTime wanted(*r.expires_at);
  if (n.deliver_at && wanted <= *n.deliver_at) {
    check.add("expires_at", "must be after `deliver_at`");
  } else if (wanted <= n.begins_at()) {
    check.add("expires_at",
              "must be in the future; this server's clock says " + base::to_rfc3339(n.begins_at()));
  } else if (wanted > n.begins_at() + kExpiryMax) {
    check.add("expires_at", n.deliver_at ? "must be at most 28 days after `deliver_at`"
                                         : "must be at most 28 days ahead");
  }
  return wanted;
}

Presentation read_presentation(const SendRequest& r) {
  Presentation p;
  for (const auto& [key, value] : r.data) p.data.emplace(key, value);
  p.collapse_id = r.collapse_id;
  p.badge = r.badge;
  p.sound = r.sound;
  p.category = r.category;
  p.mutable_content = r.mutable_content;
  p.background = r.background;
  p.mention = r.mention;
  return p;
}

void apply(const Rendering& rendering, Notification& n) {
  n.title = rendering.text.title;
  n.body = rendering.text.body;
  n.presentation.sound = rendering.text.sound;
  if (n.presentation.category.empty()) n.presentation.category = rendering.text.category;
  n.template_used = rendering.used;
}

}  // namespace

bool is_type(std::string_view type) {
  return !type.empty() && type.size() <= kTypeMax && is_lower(type.front()) &&
         std::all_of(type.begin(), type.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

bool is_badge(std::int32_t number) { return number >= 0 && number <= kBadgeMax; }

std::chrono::seconds ExpiryPolicy::of(std::string_view type) const {
  if (type == "call") return call;
  if (type == "message") return message;
  return other;
}

std::variant<Notification, Violations> validate(const SendRequest& r, base::NotificationId id,
                                                const ExpiryPolicy& expiry,
                                                const RenderResult* rendered) {
  Checker check;
  Notification n;
  n.id = id;
  if (const auto user = check.id<base::UserId>("user_id", r.user_id)) n.user = *user;
  if (!r.conversation_id.empty()) {
    n.conversation = check.id<base::ConversationId>("conversation_id", r.conversation_id);
  }
  if (!r.message_id.empty()) {
    n.message = check.id<base::MessageId>("message_id", r.message_id);
  }
  const bool template_tells = r.type.empty() && rendered != nullptr && *rendered;
  n.type = template_tells ? (*rendered)->type : r.type;
  // Of a use in vain the type is not known, nor wrong.
  if (!(n.type.empty() && r.template_use) && !is_type(n.type)) check.add("type", kTypeForm);
  check_texts(check, r);
  const Rendering* rendering = read_rendering(check, r, rendered);
  check_data(check, r.data);
  const std::optional<Priority> priority = read_priority(check, r.priority);
  n.deliver_at = read_deliver_at(check, r, n.created_at());
  n.expires_at = read_expiry(check, r, n, expiry.of(n.type));
  check_collapse_id(check, r.collapse_id);
  if (!r.background && !r.template_use) check.short_text("sound", r.sound, kSoundMax);
  check.short_text("category", r.category, kShortTextMax);
  check_labels(check, r.labels);
  check_idempotency_key(check, r.idempotency_key);
  if (!check.ok()) return std::move(check).take();

  n.title = r.title;
  n.body = r.body;
  n.presentation = read_presentation(r);
  if (rendering != nullptr) apply(*rendering, n);
  for (const auto& [key, value] : r.labels) n.labels.emplace(key, value);
  n.priority = *priority;

  check_payload(check, n);
  if (!check.ok()) return std::move(check).take();
  return n;
}

}  // namespace notify::rules
