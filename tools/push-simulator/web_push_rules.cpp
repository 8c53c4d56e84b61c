#include "push-simulator/web_push_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "push-simulator/jws.hpp"
#include "push-simulator/scripted_tokens.hpp"

namespace notify::simulator {
namespace {

constexpr std::size_t kRemembered = 64;
constexpr std::chrono::seconds kTokenLifetime = std::chrono::hours(24);  // RFC 8292 §2

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_base64url(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool is_urgency(std::string_view text) {
  constexpr std::array<std::string_view, 5> kAll{"", "very-low", "low", "normal", "high"};
  return std::find(kAll.begin(), kAll.end(), text) != kAll.end();
}

/// Apple's rule, the strictest.
bool is_subject(std::string_view text) {
  const bool has_scheme = text.starts_with("mailto:") || text.starts_with("https://");
  return has_scheme && text.find_first_of(" <>") == text.npos;
}

/// `t=...` or `k=...` of the header, in whatever order; empty if it is not there.
std::string_view parameter(std::string_view list, char name) {
  while (!list.empty()) {
    std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.size() > 2 && one[0] == name && one[1] == '=') return one.substr(2);
  }
  return {};
}

void refuse(WebPushVerdict& verdict, int status, std::string_view reason) {
  verdict.status = status;
  verdict.reason = reason;
}

}  // namespace

WebPushHead read_web_push_head(const HttpRequest& request) {
  WebPushHead head;
  if (request.path.starts_with(kWebPushPath)) {
    head.id = std::string_view(request.path).substr(kWebPushPath.size());
  }
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers.at(i);
    const auto take = [&, text = value](std::string_view& field) {
      if (!field.empty()) head.repeated_header = true;
      field = text;
    };
    if (name == "authorization") take(head.authorization);
    if (name == "ttl") take(head.ttl);
    if (name == "urgency") take(head.urgency);
    if (name == "topic") take(head.topic);
    if (name == "content-encoding") take(head.content_encoding);
    if (name == "encryption" || name == "crypto-key") head.has_old_headers = true;
  }
  return head;
}

WebPushVerdict WebPushRules::judge(const HttpRequest& request, const WebPushHead& head,
                                   base::WallTime now) {
  WebPushVerdict verdict;
  check(request, head, now, verdict);
  return verdict;
}

void WebPushRules::check(const HttpRequest& request, const WebPushHead& head, base::WallTime now,
                         WebPushVerdict& verdict) {
  if (request.method != "POST") return refuse(verdict, 405, "MethodNotAllowed");
  const auto subscription = subscriptions_.find(head.id);
  if (!subscription && !is_script(head.id)) return refuse(verdict, 404, "NotFound");
  if (head.repeated_header) return refuse(verdict, 400, "DuplicateHeaders");
  if (!is_number(head.ttl)) return refuse(verdict, 400, "BadTtl");
  if (!is_urgency(head.urgency)) return refuse(verdict, 400, "BadUrgency");
  if (head.topic.size() > kMaxTopic || !is_base64url(head.topic)) {
    return refuse(verdict, 400, "BadWebPushTopic");
  }
  if (head.authorization.empty()) return refuse(verdict, 401, "MissingAuthorization");
  const Sender* sender = sender_of(head.authorization);
  if (sender == nullptr) return refuse(verdict, 403, "BadJwtToken");
  if (const auto reason = check_sender(*sender, now); !reason.empty()) {
    return refuse(verdict, 403, reason);
  }
  if (subscription) check_subscription(*subscription, *sender, verdict);
  if (!verdict.reason.empty()) return;
  if (request.body_size > kMaxBody) return refuse(verdict, 413, "PayloadTooLarge");
  if (head.has_old_headers) return refuse(verdict, 400, "OldEncryptionHeaders");
  if (head.content_encoding != "aes128gcm") return refuse(verdict, 400, "BadContentEncoding");
  const std::string_view point = sender_point(request.body);
  if (point.empty()) return refuse(verdict, 400, "BadEncryption");
  if (point == sender->point) return refuse(verdict, 400, "SigningKeyReused");  // RFC 8292 §3.2
  if (!subscription || !subscription->keys) return;  // nobody here has its key
  if (--until_decrypted_ == 0) {
    until_decrypted_ = decrypt_every_;
    decrypt(request, *subscription->keys, verdict);
  }
}

void WebPushRules::check_subscription(const Subscription& subscription, const Sender& sender,
                                      WebPushVerdict& verdict) const {
  if (!subscription.vapid_key.empty() && subscription.vapid_key != sender.key) {
    return refuse(verdict, 403, "VapidPkHashMismatch");
  }
  const auto device = registry_.find_by_token(subscription.token);
  if (subscription.ended || (device && device->dead_since)) refuse(verdict, 410, "Unregistered");
}

const WebPushRules::Sender* WebPushRules::sender_of(std::string_view authorization) {
  if (const auto known = senders_.find(authorization); known != senders_.end()) {
    return &known->second;
  }
  constexpr std::string_view kScheme = "vapid ";
  if (!authorization.starts_with(kScheme)) return nullptr;
  const std::string_view parameters = authorization.substr(kScheme.size());
  const std::string_view key = parameter(parameters, 'k');
  const auto point = base::base64url_decode(key);
  const KeyHandle public_key = public_key_of(point.value_or(""));
  const auto jws = parse_jws(parameter(parameters, 't'));
  if (!public_key || !jws || !is_text(jws->header, "alg", "ES256") ||
      !is_text(jws->header, "typ", "JWT") ||
      !is_es256(*public_key, jws->signed_part, jws->signature)) {
    return nullptr;
  }
  const auto audience = jws->claims.find("aud");
  const auto expires = jws->claims.find("exp");
  const auto subject = jws->claims.find("sub");
  if (audience == jws->claims.end() || !audience->is_string() || expires == jws->claims.end() ||
      !expires->is_number_integer() || subject == jws->claims.end() || !subject->is_string() ||
      !is_subject(subject->get_ref<const std::string&>())) {
    return nullptr;
  }
  if (senders_.size() >= kRemembered) senders_.clear();
  Sender sender{std::string(key), *point, audience->get<std::string>(),
                std::chrono::seconds(expires->get<std::int64_t>())};
  return &senders_.emplace(std::string(authorization), std::move(sender)).first->second;
}

std::string_view WebPushRules::check_sender(const Sender& sender, base::WallTime now) const {
  if (sender.audience != subscriptions_.origin()) return "BadJwtToken";
  const auto left = sender.expires - now.time_since_epoch();
  if (left <= std::chrono::seconds(0) || left > kTokenLifetime) return "BadJwtToken";
  return {};
}

void WebPushRules::decrypt(const HttpRequest& request, const BrowserKeys& keys,
                           WebPushVerdict& verdict) {
  const auto text = decrypt_web_push(keys, request.body);
  if (!text) return refuse(verdict, 400, "BadEncryption");
  payload_ = *text;
  payload_.append(simdjson::SIMDJSON_PADDING, '\0');
  verdict.payload = std::string_view(payload_).substr(0, text->size());
  simdjson::dom::object root;
  if (parser_.parse(payload_.data(), text->size(), false).get(root) != simdjson::SUCCESS) return;
  verdict.payload_is_json = true;
  std::string_view id;
  if (root["notification"]["data"]["notification_id"].get(id) == simdjson::SUCCESS ||
      root["data"]["notification_id"].get(id) == simdjson::SUCCESS) {
    verdict.notification_id = id;
  }
}

}  // namespace notify::simulator
