#include "push-simulator/fcm_rules.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "push-simulator/scripted_tokens.hpp"

namespace notify::simulator {
namespace {

using simdjson::SUCCESS;
using Element = simdjson::dom::element;

void refuse(FcmVerdict& verdict, FieldViolation violation) {
  verdict.status = 400;
  verdict.rpc_status = "INVALID_ARGUMENT";
  verdict.message = violation.description;
  verdict.violation = std::move(violation);
}

/// An error of FCM itself, not of Google's JSON parser.
void refuse(FcmVerdict& verdict, int status, std::string_view rpc_status, std::string_view code,
            std::string message) {
  verdict.status = status;
  verdict.rpc_status = rpc_status;
  verdict.error_code = code;
  verdict.message = std::move(message);
}

void refuse_argument(FcmVerdict& verdict, std::string message) {
  refuse(verdict, 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", std::move(message));
}

std::string_view text_at(Element object, std::string_view field) {
  std::string_view text;
  if (find_field(object, field).get(text) != SUCCESS) return {};
  return text;
}

std::optional<Element> object_at(Element object, std::string_view field) {
  Element found;
  if (find_field(object, field).get(found) != SUCCESS || !found.is_object()) return std::nullopt;
  return found;
}

/// Keys that FCM keeps for itself. Source: Firebase, Message.data and "ErrorCode".
bool is_reserved(std::string_view key) {
  return key == "from" || key == "message_type" || key == "collapse_key" ||
         key.starts_with("google") || key.starts_with("gcm");
}

/// The first reserved key of the message's data, and of the data of its blocks.
std::optional<std::string> reserved_key(Element message) {
  for (const std::string_view block : {"", "android", "webpush"}) {
    const auto owner = block.empty() ? std::optional(message) : object_at(message, block);
    const auto data = owner ? object_at(*owner, "data") : std::nullopt;
    if (!data) continue;
    for (const auto entry : simdjson::dom::object(*data)) {
      if (is_reserved(entry.key)) return std::string(entry.key);
    }
  }
  return std::nullopt;
}

/// Bytes of all texts in it, keys included.
std::size_t size_of(Element value) {
  std::size_t size = 0;
  simdjson::dom::object object;
  simdjson::dom::array array;
  std::string_view text;
  if (value.get(object) == SUCCESS) {
    for (const auto entry : object) size += entry.key.size() + size_of(entry.value);
  } else if (value.get(array) == SUCCESS) {
    for (const Element item : array) size += size_of(item);
  } else if (value.get(text) == SUCCESS) {
    size = text.size();
  } else {
    size = simdjson::minify(value).size();
  }
  return size;
}

std::size_t payload_size(Element message) {
  std::size_t size = 0;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kParts = {
      {{"", "data"},
       {"", "notification"},
       {"android", "data"},
       {"android", "notification"},
       {"webpush", "data"},
       {"webpush", "notification"},
       {"apns", "payload"},
       {"android", "collapse_key"}}};
  for (const auto& [block, field] : kParts) {
    const auto owner = block.empty() ? std::optional(message) : object_at(message, block);
    Element part;
    if (owner && find_field(*owner, field).get(part) == SUCCESS) size += size_of(part);
  }
  return size;
}

/// A time to live is from 0 to 28 days.
bool ttl_in_range(std::string_view ttl) {
  if (ttl.empty()) return true;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(ttl.data(), ttl.data() + ttl.size(), seconds);
  return error == std::errc() && seconds >= 0 && seconds <= FcmRules::kMaxTtlSeconds;
}

/// A fault that Apple would find in a message that goes on to it. Source: Firebase, ApnsConfig.
std::optional<std::string> wrong_for_apple(Element message) {
  const auto apns = object_at(message, "apns");
  const auto payload = apns ? object_at(*apns, "payload") : std::nullopt;
  const auto headers = apns ? object_at(*apns, "headers") : std::nullopt;
  if (payload && !object_at(*payload, "aps")) return "The payload of APNs has no 'aps'.";
  if (!headers) return std::nullopt;
  for (const auto entry : simdjson::dom::object(*headers)) {
    if (!entry.key.starts_with("apns-")) {
      return fmt::format("'{}' is no header of APNs.", entry.key);
    }
  }
  const bool is_background = text_at(*headers, "apns-push-type") == "background";
  if (is_background && text_at(*headers, "apns-priority") == "10") {
    return "A background message to APNs has priority 5.";
  }
  return std::nullopt;
}

/// Registration tokens have these characters, and some length.
bool could_be_token(std::string_view token) {
  return token.size() >= 16 && std::all_of(token.begin(), token.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == ':';
         });
}

}  // namespace

FcmVerdict FcmRules::judge(std::string_view body) {
  FcmVerdict verdict;
  padded_.assign(body);
  padded_.append(simdjson::SIMDJSON_PADDING, '\0');
  Element root;
  const auto parsed = parser_.parse(padded_.data(), body.size(), false);
  if (parsed.get(root) != SUCCESS || !root.is_object()) {
    refuse(verdict, {"", "Invalid JSON payload received. Unexpected token."});
    return verdict;
  }
  verdict.is_json = true;
  if (const auto message = object_at(root, "message")) read_fields(*message, verdict);
  bool validate_only = false;
  verdict.validate_only =
      find_field(root, "validate_only").get(validate_only) == SUCCESS && validate_only;
  check(root, verdict);
  return verdict;
}

void FcmRules::read_fields(Element message, FcmVerdict& verdict) const {
  verdict.token = text_at(message, "token");
  if (verdict.token.empty()) verdict.token = text_at(message, "fid");
  if (const auto data = object_at(message, "data")) {
    verdict.notification_id = text_at(*data, "notification_id");
  }
  if (const auto android = object_at(message, "android")) {
    verdict.priority = text_at(*android, "priority");
    verdict.ttl = text_at(*android, "ttl");
    verdict.collapse_key = text_at(*android, "collapse_key");
    if (const auto shown = object_at(*android, "notification")) {
      verdict.tag = text_at(*shown, "tag");
    }
  }
}

void FcmRules::check(Element body, FcmVerdict& verdict) {
  if (auto violation = check_fcm_form(body)) return refuse(verdict, *std::move(violation));
  const auto message = object_at(body, "message");
  if (!message) return refuse_argument(verdict, "The message is not set.");
  int targets = 0;
  for (const std::string_view name : {"token", "fid", "topic", "condition"}) {
    targets += text_at(*message, name).empty() ? 0 : 1;
  }
  if (targets == 0) return refuse_argument(verdict, "Recipient of the message is not set.");
  if (targets > 1) {
    return refuse(verdict, {"message",
                            "Invalid value at 'message' (oneof), oneof field 'target' is "
                            "already set. Cannot set two recipients."});
  }
  if (const auto key = reserved_key(*message)) {
    return refuse_argument(verdict, fmt::format("Invalid data payload key: {}", *key));
  }
  if (!ttl_in_range(verdict.ttl)) {
    return refuse(verdict, {"message.android.ttl", "The ttl must be from 0 to 2419200 seconds."});
  }
  if (auto wrong = wrong_for_apple(*message)) return refuse_argument(verdict, *std::move(wrong));
  if (payload_size(*message) > kMaxPayload) {
    return refuse_argument(verdict, "Message is too big: more than 4096 bytes.");
  }
  check_target(*message, verdict);
}

void FcmRules::check_target(Element message, FcmVerdict& verdict) const {
  // This simulator has no topics: what goes to one is accepted.
  if (verdict.token.empty() || is_script(verdict.token)) return;
  if (!could_be_token(verdict.token)) {
    const bool is_id = text_at(message, "token").empty();
    return refuse_argument(verdict,
                           is_id ? "The installation id is not a valid Firebase installation id"
                                 : "The registration token is not a valid FCM registration token");
  }
  if (targets_.find_fcm_target(verdict.token) != FcmTarget::registered) {
    refuse(verdict, 404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found.");
  }
}

}  // namespace notify::simulator
