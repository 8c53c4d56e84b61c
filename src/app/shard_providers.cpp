// The part of a shard that makes the clients of push services, those that are configured.

#include "app/shard.hpp"
#include "providers/apns/apns_provider.hpp"
#include "providers/fcm/fcm_provider.hpp"
#include "providers/webpush/web_push_provider.hpp"

namespace notify::app {

base::Expected<void> Shard::wire_providers() {
  const config::Config& c = process_.config;
  const rules::OwnTexts own = {c.preview.hidden_title, c.preview.hidden_body,
                               c.preview.summary_body};
  const providers::Surroundings around{timers_, rng_, on_escape()};
  using Made = base::Expected<std::unique_ptr<providers::Provider>>;
  std::vector<Made> made;
  if (c.apns.configured()) made.push_back(providers::ApnsProvider::create(c.apns, own, around));
  if (c.fcm.configured()) {
    made.push_back(providers::FcmProvider::create(c.fcm, c.service.workers, own, around));
  }
  if (c.webpush.configured()) {
    made.push_back(providers::WebPushProvider::create(c.webpush, own, around));
  }
  if (made.empty()) {
    return base::fail(base::Errc::invalid,
                      "no provider is configured: set apns.key_file and what belongs to it, "
                      "fcm.credentials_file, or webpush.key_file and what belongs to it");
  }
  for (Made& one : made) {
    if (!one) return fail(std::move(one).error());
    router_.add(**one);
    providers_.push_back(std::move(*one));
  }
  published_.providers.resize(providers_.size());
  return {};
}

}  // namespace notify::app
