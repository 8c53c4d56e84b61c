#include "push-simulator/apns_rules.hpp"

#include <algorithm>
#include <array>

#include "base/uuid.hpp"
#include "push-simulator/scripted_tokens.hpp"

namespace notify::simulator {
namespace {

constexpr std::string_view kDevicePath = "/3/device/";

struct PushType {
  std::string_view name;
  std::string_view topic_suffix;
};
constexpr std::array<PushType, 11> kPushTypes{{
    {"alert", ""},
    {"background", ""},
    {"location", ".location-query"},
    {"voip", ".voip"},
    {"complication", ".complication"},
    {"fileprovider", ".pushkit.fileprovider"},
    {"mdm", ""},
    {"liveactivity", ".push-type.liveactivity"},
    {"pushtotalk", ".voip-ptt"},
    {"widgets", ".push-type.widgets"},
    {"controls", ".push-type.controls"},
}};

const PushType* find_push_type(std::string_view name) {
  const auto found = std::find_if(kPushTypes.begin(), kPushTypes.end(),
                                  [name](const PushType& type) { return type.name == name; });
  return found == kPushTypes.end() ? nullptr : &*found;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

bool is_unix_seconds(std::string_view text) {
  return !text.empty() && text.size() <= 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool priority_fits(std::string_view priority, std::string_view push_type) {
  if (priority.empty()) return push_type != "background";  // the default is 10
  if (priority == "10") return push_type != "background";
  if (priority == "1") return push_type != "location";
  return priority == "5";
}

void refuse(ApnsVerdict& verdict, int status, std::string_view reason) {
  verdict.status = status;
  verdict.reason = reason;
}

bool has_repeated_header(const HeaderList& headers) {
  for (std::size_t i = 1; i < headers.size(); ++i) {
    const std::string_view name = headers.at(i).name;
    for (std::size_t j = 0; j < i; ++j) {
      if (headers.at(j).name == name) return true;
    }
  }
  return false;
}

/// The answer of the checks that look at headers alone; empty if all is well.
std::string_view check_headers(const ApnsHead& head) {
  if (!head.apns_id.empty() && !base::Uuid::parse(head.apns_id)) return "BadMessageId";
  if (!head.expiration.empty() && !is_unix_seconds(head.expiration)) return "BadExpirationDate";
  if (find_push_type(head.push_type) == nullptr) return "InvalidPushType";
  if (!priority_fits(head.priority, head.push_type)) return "BadPriority";
  if (head.collapse_id.size() > ApnsRules::kMaxCollapseId) return "BadCollapseId";
  return {};
}

}  // namespace

ApnsHead read_head(const HttpRequest& request) {
  ApnsHead head;
  if (request.path.starts_with(kDevicePath)) {
    head.token = std::string_view(request.path).substr(kDevicePath.size());
  }
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers.at(i);
    if (name == "authorization") head.authorization = value;
    if (!name.starts_with("apns-")) continue;
    const std::string_view rest = name.substr(5);
    if (rest == "id") head.apns_id = value;
    if (rest == "topic") head.topic = value;
    if (rest == "push-type") head.push_type = value;
    if (rest == "priority") head.priority = value;
    if (rest == "expiration") head.expiration = value;
    if (rest == "collapse-id") head.collapse_id = value;
  }
  head.repeated_header = has_repeated_header(request.headers);
  return head;
}

ApnsVerdict ApnsRules::judge(const HttpRequest& request, const ApnsHead& head, base::WallTime now) {
  ApnsVerdict verdict;
  read_payload(request.body, verdict);
  check(request, head, now, verdict);
  return verdict;
}

void ApnsRules::check(const HttpRequest& request, const ApnsHead& head, base::WallTime now,
                      ApnsVerdict& verdict) {
  if (request.method != "POST") return refuse(verdict, 405, "MethodNotAllowed");
  if (!request.path.starts_with(kDevicePath)) return refuse(verdict, 404, "BadPath");
  if (head.repeated_header) return refuse(verdict, 400, "DuplicateHeaders");
  switch (tokens_.check(head.authorization, now)) {
    case TokenVerdict::missing: return refuse(verdict, 403, "MissingProviderToken");
    case TokenVerdict::invalid: return refuse(verdict, 403, "InvalidProviderToken");
    case TokenVerdict::expired: return refuse(verdict, 403, "ExpiredProviderToken");
    case TokenVerdict::valid: break;
  }
  verdict.provider_token_valid = true;
  if (const auto reason = check_headers(head); !reason.empty()) {
    return refuse(verdict, 400, reason);
  }
  if (const auto reason = check_topic(head); !reason.empty()) return refuse(verdict, 400, reason);
  const std::size_t limit = head.push_type == "voip" ? kMaxVoipPayload : kMaxPayload;
  if (request.body_size > limit) return refuse(verdict, 413, "PayloadTooLarge");
  if (!verdict.payload_is_json) return refuse(verdict, 400, "PayloadEmpty");
  check_target(head, verdict);
}

std::string_view ApnsRules::check_topic(const ApnsHead& head) const {
  if (head.topic.empty()) return "MissingTopic";
  const PushType* type = find_push_type(head.push_type);
  if (type == nullptr || !head.topic.ends_with(type->topic_suffix)) return "BadTopic";
  const auto bundle = head.topic.substr(0, head.topic.size() - type->topic_suffix.size());
  const auto& topics = settings_.topics;
  if (std::find(topics.begin(), topics.end(), bundle) != topics.end()) return {};
  // A known bundle id with another type's suffix is a wrong topic; anything else a foreign one.
  const bool ours = std::any_of(topics.begin(), topics.end(), [&](const std::string& topic) {
    return head.topic.starts_with(topic) && head.topic.substr(topic.size()).starts_with('.');
  });
  return ours ? "BadTopic" : "TopicDisallowed";
}

void ApnsRules::check_target(const ApnsHead& head, ApnsVerdict& verdict) {
  if (head.token.empty()) return refuse(verdict, 400, "MissingDeviceToken");
  if (head.token.size() % 2 != 0 || !is_hex(head.token)) {
    return refuse(verdict, 400, "BadDeviceToken");
  }
  lower_token_.assign(head.token);
  for (char& c : lower_token_) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
  }
  if (is_script(lower_token_)) return;
  const std::optional<PushTarget> target = targets_.find_target(lower_token_);
  const bool other_world = target && settings_.environment != PushEnvironment::any &&
                           target->environment != PushEnvironment::any &&
                           target->environment != settings_.environment;
  if (!target || other_world) return refuse(verdict, 400, "BadDeviceToken");
  if (!target->app_id.empty()) {
    const bool same_app = head.topic.starts_with(target->app_id) &&
                          (head.topic.size() == target->app_id.size() ||
                           head.topic.ends_with(find_push_type(head.push_type)->topic_suffix));
    if (!same_app) return refuse(verdict, 400, "DeviceTokenNotForTopic");
  }
  if (target->dead_since) {
    verdict.timestamp = target->dead_since;
    return refuse(verdict, 410, "Unregistered");
  }
}

void ApnsRules::read_payload(std::string_view body, ApnsVerdict& verdict) {
  if (body.empty()) return;
  padded_.assign(body);
  padded_.append(simdjson::SIMDJSON_PADDING, '\0');
  simdjson::dom::object object;
  if (parser_.parse(padded_.data(), body.size(), false).get(object) != simdjson::SUCCESS) return;
  verdict.payload_is_json = true;
  std::string_view id;
  if (object["notification_id"].get(id) == simdjson::SUCCESS) verdict.notification_id = id;
}

}  // namespace notify::simulator
