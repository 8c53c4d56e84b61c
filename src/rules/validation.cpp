#include "rules/validation.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "rules/apns.hpp"

namespace notify::rules {
namespace {

constexpr std::size_t kTypeMax = 50;
constexpr std::size_t kTitleCharactersMax = 255;  // VARCHAR(255) counts characters
constexpr std::size_t kBodyMax = 2048;
constexpr std::size_t kDataEntriesMax = 64;
constexpr std::size_t kDataKeyMax = 64;
constexpr std::size_t kDataValueMax = 2048;
constexpr std::size_t kShortTextMax = 64;  // Apple's limit for apns-collapse-id
constexpr std::int32_t kBadgeMax = 1'000'000;
constexpr std::size_t kLabelsMax = 16;
constexpr std::size_t kIdempotencyKeyMax = 128;
constexpr std::chrono::days kExpiryMax{28};  // FCM's limit, the shortest of the providers

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_key_character(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

/// Collects what is wrong; each check adds at most one violation for its field.
class Checker {
 public:
  void add(std::string field, std::string description) {
    violations_.push_back({std::move(field), std::move(description)});
  }
  [[nodiscard]] bool ok() const { return violations_.empty(); }
  [[nodiscard]] Violations take() && { return std::move(violations_); }

  template <class Id>
  std::optional<Id> id(const char* field, std::string_view text) {
    const std::optional<Id> id = Id::parse(text);
    if (!id) add(field, "must be a UUID in its canonical form, 8-4-4-4-12 hexadecimal digits");
    return id;
  }

  /// Valid UTF-8 without control characters; true if it is fit to be looked at further.
  bool readable(const std::string& field, std::string_view text, bool lines_allowed) {
    if (!base::utf8_length(text)) {
      add(field, "must be valid UTF-8");
      return false;
    }
    std::optional<std::size_t> control = base::find_control_character(text);
    if (!control && !lines_allowed) {
      const std::size_t line = text.find_first_of("\n\t");
      if (line != std::string_view::npos) control = line;
    }
    if (control) {
      add(field,
          "must not hold control characters; there is one at byte " + std::to_string(*control));
      return false;
    }
    return true;
  }

  void short_text(const std::string& field, std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
      add(field, too_long(text.size(), bytes_max));
    } else {
      readable(field, text, false);
    }
  }

  static std::string too_long(std::size_t bytes, std::size_t bytes_max) {
    return "is " + std::to_string(bytes) + " bytes long; at most " + std::to_string(bytes_max) +
           " are allowed";
  }

 private:
  Violations violations_;
};

void check_texts(Checker& check, const SendRequest& r) {
  if (r.background) {
    if (!r.title.empty()) check.add("title", "must be empty when `background` is set");
    if (!r.body.empty()) check.add("body", "must be empty when `background` is set");
    if (!r.sound.empty()) check.add("sound", "must be empty when `background` is set");
    if (r.badge) check.add("badge", "must not be set when `background` is set");
    return;
  }
  if (r.title.empty()) {
    check.add("title", "is required unless `background` is set");
  } else if (check.readable("title", r.title, true) &&
             *base::utf8_length(r.title) > kTitleCharactersMax) {
    check.add("title", "is " + std::to_string(*base::utf8_length(r.title)) +
                           " characters long; at most 255 are allowed");
  }
  if (r.body.size() > kBodyMax) {
    check.add("body", Checker::too_long(r.body.size(), kBodyMax));
  } else {
    check.readable("body", r.body, true);
  }
  const bool badge_in_range = !r.badge || (*r.badge >= 0 && *r.badge <= kBadgeMax);
  if (!badge_in_range) check.add("badge", "must be from 0 to 1,000,000");
}

/// Keys that a provider or this service uses itself.
bool is_reserved(std::string_view key) {
  return key == "from" || key == "message_type" || key == "notification_id" ||
         key.starts_with("google") || key.starts_with("gcm") || key.starts_with("aps");
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
    } else if (value.size() > kDataValueMax) {
      check.add(field, Checker::too_long(value.size(), kDataValueMax));
    } else {
      check.readable(field, value, true);
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
    } else if (check.readable(field, key, false)) {
      check.readable(field, value, false);
    }
  }
}

void check_idempotency_key(Checker& check, std::string_view key) {
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (key.size() > kIdempotencyKeyMax || !printable) {
    check.add("idempotency_key", "must be at most 128 printable ASCII characters");
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

base::WallTime read_expiry(Checker& check, const SendRequest& r, base::WallTime now,
                           const ExpiryPolicy& expiry) {
  if (r.expires_at_malformed) {
    check.add("expires_at", "must be a time from 1970 to 9999 with 0 to 999,999,999 nanoseconds");
  }
  if (!r.expires_at) return now + expiry.of(r.type);
  const base::WallTime wanted(*r.expires_at);
  if (wanted <= now) {
    check.add("expires_at",
              "must be in the future; this server's clock says " + base::to_rfc3339(now));
  } else if (wanted > now + kExpiryMax) {
    check.add("expires_at", "must be at most 28 days ahead");
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

}  // namespace

bool is_type(std::string_view text) {
  return !text.empty() && text.size() <= kTypeMax && is_lower(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

std::chrono::seconds ExpiryPolicy::of(std::string_view type) const {
  if (type == "call") return call;
  if (type == "message") return message;
  return other;
}

std::variant<Notification, Violations> validate(const SendRequest& r, base::NotificationId id,
                                                const ExpiryPolicy& expiry) {
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
  if (!is_type(r.type)) check.add("type", kTypeForm);
  check_texts(check, r);
  check_data(check, r.data);
  const std::optional<Priority> priority = read_priority(check, r.priority);
  n.expires_at = read_expiry(check, r, n.created_at(), expiry);
  check.short_text("collapse_id", r.collapse_id, kShortTextMax);
  if (!r.background) check.short_text("sound", r.sound, kSoundMax);
  check.short_text("category", r.category, kShortTextMax);
  check_labels(check, r.labels);
  check_idempotency_key(check, r.idempotency_key);
  if (!check.ok()) return std::move(check).take();

  n.type = r.type;
  n.title = r.title;
  n.body = r.body;
  n.presentation = read_presentation(r);
  for (const auto& [key, value] : r.labels) n.labels.emplace(key, value);
  n.priority = *priority;

  const std::size_t payload_size = apns_payload_bound(n);
  if (payload_size > kApnsPayloadMax) {
    check.add("data",
              "title, body and data together, with what the user's settings can add, make a "
              "payload of " +
                  std::to_string(payload_size) +
                  " bytes on Apple devices; at most 4,096 are allowed");
    return std::move(check).take();
  }
  return n;
}

}  // namespace notify::rules
