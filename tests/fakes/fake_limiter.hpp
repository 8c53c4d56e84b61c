#pragma once
// The counters of rate limits in memory. Nodes share the table; each has a FakeLimiter of its own,
// with its own link and faults. It keeps the contract of tests/contract.

#include <utility>

#include "fakes/fake_link.hpp"
#include "stores/local_limits.hpp"

namespace notify::fakes {

/// Lifetime: `clock` outlives this.
struct FakeLimits {
  const base::Clock& clock;
  stores::LocalLimits counters{};
  std::size_t taken = 0;  ///< operations that were counted
  std::size_t given_back = 0;

  [[nodiscard]] std::chrono::milliseconds now() const {
    return std::chrono::floor<std::chrono::milliseconds>(clock.steady_now().time_since_epoch());
  }
};

/// Lifetime: `limits` and `link` outlive this.
class FakeLimiter final : public stores::Limiter {
 public:
  struct Faults {
    FakeFault take;
    FakeFault give_back;
  };
  Faults faults;

  FakeLimiter(FakeLimits& limits, FakeLink& link) : limits_(limits), link_(link) {}

  [[nodiscard]] async::Task<std::vector<base::Expected<stores::LimitTaken>>> take(
      std::vector<stores::LimitClaim> claims) override {
    using Results = std::vector<base::Expected<stores::LimitTaken>>;
    auto done = co_await link_.travel(faults.take, [this, &claims] {
      Results results;
      for (const stores::LimitClaim& claim : claims) {
        results.emplace_back(limits_.counters.take(claim, limits_.now()));
        if (!results.back()->reached) ++limits_.taken;
      }
      return base::Expected<Results>(std::move(results));
    });
    if (!done) co_return Results(claims.size(), base::fail(done.error()));
    co_return std::move(*done);
  }

  [[nodiscard]] async::Task<base::Expected<void>> give_back(
      std::vector<stores::LimitReturn> returns) override {
    return link_.travel(faults.give_back, [this, returns = std::move(returns)] {
      for (const stores::LimitReturn& what : returns) {
        limits_.counters.give_back(what, limits_.now());
        ++limits_.given_back;
      }
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::LimitStanding>>> look(
      stores::LimitClaim claim) override {
    return link_.travel(faults.take, [this, claim = std::move(claim)] {
      return base::Expected<std::vector<stores::LimitStanding>>(
          limits_.counters.look(claim, limits_.now()));
    });
  }

 private:
  FakeLimits& limits_;
  FakeLink& link_;
};

}  // namespace notify::fakes
