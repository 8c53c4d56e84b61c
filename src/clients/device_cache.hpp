#pragma once
// Remembers a user's devices for a while, so that auth-service is asked once for a burst and not
// once for a notification. In front of any directory.
//
// What is not remembered: a failure, and that a user has no device: who has just registered one is
// waiting for it. A device registered later than the answer is found after `ttl` at the latest.

#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

#include "base/async/condition.hpp"
#include "base/async/timers.hpp"
#include "clients/device_directory.hpp"

namespace notify::clients {

/// Threading: one executor.
/// Lifetime:  `origin` and `timers` outlive this, and this its callers.
/// Errors:    the origin's. Callers who ask for one user at once share one answer, also an error.
/// Limits:    `users_max`; whoever was asked for longest ago is forgotten first.
class DeviceCache final : public DeviceDirectory {
 public:
  struct Options {
    std::chrono::milliseconds ttl{60'000};  ///< 0: everything is asked for
    std::size_t users_max = 100'000;
    /// Called for each question; `cached`: answered without asking the origin.
    std::function<void(bool cached)> on_question;
  };

  DeviceCache(DeviceDirectory& origin, async::Timers& timers, Options options)
      : origin_(origin), timers_(timers), options_(std::move(options)) {}

  [[nodiscard]] async::Task<base::Expected<std::vector<rules::Device>>> user_devices(
      base::UserId user, base::Deadline deadline) override;
  /// Also forgets the user.
  [[nodiscard]] async::Task<base::Expected<void>> report_invalid_token(
      InvalidToken report, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> check_health(base::Deadline deadline) override {
    return origin_.check_health(deadline);
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Devices = std::vector<rules::Device>;
  struct Entry {
    base::UserId user;
    Devices devices;
    base::SteadyTime until;
  };
  struct Flight;
  using Entries = std::list<Entry>;  // the most recently asked for first

  [[nodiscard]] const Devices* find(base::UserId user);
  void remember(base::UserId user, const Devices& devices);
  void forget(base::UserId user);
  async::Task<base::Expected<Devices>> ask(base::UserId user, base::Deadline deadline);

  DeviceDirectory& origin_;
  async::Timers& timers_;
  Options options_;
  Entries entries_;
  std::unordered_map<base::UserId, Entries::iterator> by_user_;
  std::unordered_map<base::UserId, std::shared_ptr<Flight>> flights_;
};

}  // namespace notify::clients
