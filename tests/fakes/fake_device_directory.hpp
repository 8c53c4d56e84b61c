#pragma once
// auth-service in memory: who has which devices, and which tokens were reported dead.

#include <functional>
#include <map>
#include <vector>

#include "clients/device_directory.hpp"
#include "fakes/fake_link.hpp"

namespace notify::fakes {

/// What auth-service knows.
struct FakeDevices {
  std::map<base::UserId, std::vector<rules::Device>> of_user;
  std::vector<clients::InvalidToken> reported;
  /// The time that one question takes besides the way.
  std::function<std::chrono::milliseconds()> delay;
};

/// Lifetime: `devices` and `link` outlive this.
class FakeDeviceDirectory final : public clients::DeviceDirectory {
 public:
  struct Faults {
    FakeFault user_devices;
    FakeFault report;
  };
  Faults faults;

  FakeDeviceDirectory(FakeDevices& devices, FakeLink& link) : devices_(devices), link_(link) {}

  [[nodiscard]] async::Task<base::Expected<std::vector<rules::Device>>> user_devices(
      base::UserId user, base::Deadline) override {
    if (devices_.delay) co_await link_.timers.sleep_for(devices_.delay());
    co_return co_await link_.travel(faults.user_devices, [this, user] {
      return base::Expected<std::vector<rules::Device>>(devices_.of_user[user]);
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> report_invalid_token(clients::InvalidToken report,
                                                                       base::Deadline) override {
    return link_.travel(faults.report, [this, report = std::move(report)] {
      devices_.reported.push_back(report);
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> check_health(base::Deadline) override {
    return link_.travel(faults.user_devices, [] { return base::Expected<void>(); });
  }

 private:
  FakeDevices& devices_;
  FakeLink& link_;
};

}  // namespace notify::fakes
