#include "app/make_providers.hpp"

#include "providers/apns/apns_provider.hpp"
#include "providers/fcm/fcm_provider.hpp"
#include "providers/webpush/web_push_provider.hpp"

namespace notify::app {

base::Expected<std::vector<std::unique_ptr<providers::Provider>>> make_providers(
    const config::Config& config, const providers::Surroundings& around) {
  const rules::OwnTexts own = {config.preview.hidden_title, config.preview.hidden_body,
                               config.preview.summary_body};
  std::vector<base::Expected<std::unique_ptr<providers::Provider>>> made;
  if (config.apns.configured()) {
    made.push_back(providers::ApnsProvider::create(config.apns, own, around));
  }
  if (config.fcm.configured()) {
    made.push_back(providers::FcmProvider::create(config.fcm, config.service.workers, own, around));
  }
  if (config.webpush.configured()) {
    made.push_back(providers::WebPushProvider::create(config.webpush, own, around));
  }
  std::vector<std::unique_ptr<providers::Provider>> all;
  for (auto& one : made) {
    if (!one) return base::fail(std::move(one).error());
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace notify::app
