// The part of a shard that makes the clients of push services.

#include "app/make_providers.hpp"
#include "app/shard.hpp"

namespace notify::app {

base::Expected<void> Shard::wire_providers() {
  auto made = make_providers(process_.config, {timers_, rng_, on_escape()});
  if (!made) return base::fail(std::move(made).error());
  providers_ = std::move(*made);
  if (providers_.empty()) {
    return base::fail(base::Errc::invalid,
                      "no provider is configured: set apns.key_file and what belongs to it, "
                      "fcm.credentials_file, or webpush.key_file and what belongs to it");
  }
  for (const auto& provider : providers_) router_.add(*provider);
  published_.providers.resize(providers_.size());
  return {};
}

}  // namespace notify::app
