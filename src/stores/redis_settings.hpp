#pragma once
// What the nodes share of settings, in Redis: a hash `preferences:user:{userId}` for each user,
// with the fields of rules::SettingsFields, which lives for an hour.

#include "storage/redis/client.hpp"
#include "stores/shared_settings.hpp"

namespace notify::stores {

/// Threading: the client's executor.
/// Lifetime:  `redis` outlives this.
/// Limits:    a user's fields are not shared if they have more than kBytesMax together, before they
///            are compressed, which each is from kCompressFrom on.
class RedisSettings final : public SettingsSharing {
 public:
  static constexpr std::chrono::seconds kTtl{3600};  // SPEC §4
  static constexpr std::size_t kBytesMax = std::size_t{256} << 10;
  static constexpr std::size_t kCompressFrom = std::size_t{4} << 10;

  explicit RedisSettings(redis::Client& redis) : redis_(redis) {}

  [[nodiscard]] async::Task<base::Expected<std::vector<std::optional<SharedSettings>>>> find(
      std::vector<base::UserId> users, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> put(std::vector<SharedSettings> settings,
                                                      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> forget(std::vector<base::UserId> users,
                                                         base::Deadline deadline) override;

 private:
  redis::Client& redis_;
};

}  // namespace notify::stores
