#include "push-simulator/subscriptions.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace notify::simulator {

void Subscriptions::set_origin(std::string origin) {
  const std::lock_guard lock(mutex_);
  origin_ = std::move(origin);
}

std::string Subscriptions::origin() const {
  const std::lock_guard lock(mutex_);
  return origin_;
}

std::string Subscriptions::endpoint_of(std::string_view id) const {
  return origin().append(kWebPushPath).append(id);
}

base::Expected<std::string> Subscriptions::add(const std::string& id, std::string vapid_key) {
  auto keys = make_browser_keys();
  if (!keys) return base::fail(keys.error());
  auto subscription = std::make_shared<Subscription>();
  subscription->keys = *std::move(keys);
  subscription->vapid_key = std::move(vapid_key);
  const std::string endpoint = endpoint_of(id);
  const std::lock_guard lock(mutex_);
  const nlohmann::json token{{"endpoint", endpoint},
                             {"expirationTime", nullptr},
                             {"keys",
                              {{"p256dh", base::base64url_encode(subscription->keys->point)},
                               {"auth", base::base64url_encode(subscription->keys->auth)}}}};
  subscription->token = token.dump();
  std::string text = subscription->token;
  all_.insert_or_assign(id, std::move(subscription));
  return text;
}

void Subscriptions::add_channel(const std::string& id, std::string vapid_key) {
  auto subscription = std::make_shared<Subscription>();
  subscription->vapid_key = std::move(vapid_key);
  const std::lock_guard lock(mutex_);
  all_.insert_or_assign(id, std::move(subscription));
}

void Subscriptions::end_channel(std::string_view id) {
  change_channel(id, [](Subscription& channel) { channel.ended = true; });
}

void Subscriptions::learn_token(const std::string& token) {
  const auto json = nlohmann::json::parse(token, nullptr, false);
  if (!json.is_object()) return;
  const auto endpoint = json.find("endpoint");
  if (endpoint == json.end() || !endpoint->is_string()) return;
  std::string_view id = endpoint->get_ref<const std::string&>();
  const std::string start = endpoint_of("");
  if (!id.starts_with(start)) return;
  id.remove_prefix(start.size());
  change_channel(id, [&](Subscription& channel) { channel.token = token; });
}

/// A caller that holds the old one sees no change.
template <class Change>
void Subscriptions::change_channel(std::string_view id, const Change& change) {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(id);
  if (found == all_.end() || found->second->keys) return;
  auto changed = std::make_shared<Subscription>();
  changed->token = found->second->token;
  changed->vapid_key = found->second->vapid_key;
  changed->ended = found->second->ended;
  change(*changed);
  found->second = std::move(changed);
}

std::shared_ptr<const Subscription> Subscriptions::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second;
}

void Subscriptions::clear() {
  const std::lock_guard lock(mutex_);
  all_.clear();
}

}  // namespace notify::simulator
