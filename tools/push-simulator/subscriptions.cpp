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

base::Expected<std::string> Subscriptions::add(const std::string& id, std::string vapid_key) {
  auto keys = make_browser_keys();
  if (!keys) return base::fail(keys.error());
  auto subscription = std::make_shared<Subscription>();
  subscription->keys = *std::move(keys);
  subscription->vapid_key = std::move(vapid_key);
  const std::lock_guard lock(mutex_);
  const nlohmann::json token{{"endpoint", origin_ + "/wp/" + id},
                             {"expirationTime", nullptr},
                             {"keys",
                              {{"p256dh", base::base64url_encode(subscription->keys.point)},
                               {"auth", base::base64url_encode(subscription->keys.auth)}}}};
  subscription->token = token.dump();
  std::string text = subscription->token;
  all_.insert_or_assign(id, std::move(subscription));
  return text;
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
