#pragma once
// The control port's routes: what a test tells the simulator and asks of it. JSON in, JSON out.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "push-simulator/auth_service.hpp"
#include "push-simulator/browsers.hpp"
#include "push-simulator/faults.hpp"
#include "push-simulator/ledger.hpp"
#include "push-simulator/received_log.hpp"
#include "push-simulator/registry.hpp"
#include "push-simulator/subscriptions.hpp"
#include "push-simulator/user_service.hpp"

namespace notify::simulator {

struct ControlRequest {
  std::string_view method;
  std::string_view target;  ///< path and query
  std::string_view body;
};

struct ControlResponse {
  int status = 200;
  std::string body;  ///< JSON, or nothing with 204
};

/// Threading: the thread of the providers' endpoints, whose books it reads.
/// Lifetime:  everything referred to outlives this; `log` may be null.
class ControlApi {
 public:
  static constexpr std::uint64_t kMaxPage = 10'000;
  static constexpr std::uint64_t kMaxGenerated = 5'000'000;

  /// The books of a provider besides APNs; they stand in the stats under its name.
  struct ProviderBooks {
    std::string_view provider;
    Ledger& ledger;
  };
  struct Parts {
    Registry& registry;
    FaultBook& faults;
    Ledger& ledger;  ///< of APNs; it stands at the top of the stats
    AuthStats& auth;
    CallStats& user_calls;
    UnknownUsers& unknown_users;
    ReceivedLog* log = nullptr;
    const base::Clock& clock;
    std::string default_app_id;  ///< of generated devices
    std::vector<ProviderBooks> others{};
    Subscriptions* subscriptions = nullptr;  ///< of browsers; null: there are none
    Browsers* browsers = nullptr;            ///< real ones; null as `subscriptions` is
  };

  explicit ControlApi(const Parts& parts) : parts_(parts) {}
  [[nodiscard]] ControlResponse handle(const ControlRequest& request);

 private:
  [[nodiscard]] ControlResponse route(const ControlRequest& request, std::string_view path,
                                      std::string_view query);
  [[nodiscard]] ControlResponse put_devices(std::string_view body);
  [[nodiscard]] ControlResponse put_user(std::string_view body);
  [[nodiscard]] ControlResponse generate(std::string_view body);
  [[nodiscard]] std::optional<nlohmann::json> token_stats(std::string_view token) const;
  [[nodiscard]] ControlResponse post_subscription(std::string_view body);
  [[nodiscard]] ControlResponse disconnect_browsers();
  /// The token of the browser with this id, else the text itself.
  [[nodiscard]] std::string token_of(std::string_view id) const;
  [[nodiscard]] ControlResponse get_device(std::string_view token) const;
  [[nodiscard]] ControlResponse patch_device(std::string_view token, std::string_view body);
  [[nodiscard]] ControlResponse post_faults(std::string_view body);
  [[nodiscard]] ControlResponse get_stats() const;
  [[nodiscard]] ControlResponse get_received(std::string_view query);
  [[nodiscard]] ControlResponse reset(std::string_view query);

  Parts parts_;
};

}  // namespace notify::simulator
