#pragma once
// request_limiting: how many requests an end user, or somebody at an address, may make. REST asks
// when it knows who it is and before it does anything for them. The counters are beside those of
// notifications (flows/limiting.hpp), and like those they are kept here while Redis is away.

#include <optional>
#include <string>
#include <vector>

#include "flows/limiting.hpp"

namespace notify::flows {

struct RequestLimit {
  enum class Of : std::uint8_t { user, ip };
  Of of = Of::user;
  rules::LimitWindow window = rules::LimitWindow::minute;
  std::int64_t allowed = 0;
};

/// How somebody stands with the limit that leaves them least.
struct RequestStanding {
  std::int64_t allowed = 0;
  std::int64_t left = 0;  ///< after this request
  std::chrono::milliseconds resets_in{0};
  std::optional<Refusal> refusal;  ///< this request is over it
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it.
class RequestLimiting {
 public:
  struct Parts {
    stores::Limiter& limiter;
    async::Timers& timers;
    std::vector<RequestLimit> limits;
    std::function<void(std::string_view limit)> reached;
    std::function<void(std::string_view step, const base::Error&)> step_failed;
    /// After a failure, so long nobody asks Redis again.
    std::chrono::milliseconds pause{1'000};
  };

  explicit RequestLimiting(Parts parts) : parts_(std::move(parts)) {}

  /// Counts a request. Unset: there is no limit for such. Never fails.
  [[nodiscard]] async::Task<std::optional<RequestStanding>> take(std::optional<base::UserId> user,
                                                                 std::string ip);

 private:
  struct Claim;
  [[nodiscard]] Claim claim_of(const std::optional<base::UserId>& user,
                               const std::string& ip) const;
  [[nodiscard]] async::Task<base::Expected<stores::LimitTaken>> ask(
      stores::LimitClaim claim, std::vector<stores::LimitStanding>& standings);
  [[nodiscard]] std::chrono::milliseconds steady_now() const;

  Parts parts_;
  stores::LocalLimits here_;
  base::SteadyTime here_until_ = base::SteadyTime::min();
};

}  // namespace notify::flows
