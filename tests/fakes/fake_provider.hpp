#pragma once
// A push service that does as it is told: outcomes by token, a count of what it got, and answers
// that can be held back.

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fakes/fake_link.hpp"
#include "providers/provider.hpp"
#include "rules/apns.hpp"

namespace notify::fakes {

using namespace std::chrono_literals;

/// The push service itself: shared by the nodes.
struct FakePushService {
  struct Received {
    base::NotificationId notification;
    base::DeviceId device;
    std::string apns_id;
    base::WallTime at;
    rules::Style style;
    std::map<std::string, std::string> data{};
  };
  std::vector<Received> received;
  std::function<bool(int node, base::NotificationId)> is_lease_of;  ///< for the journal
  std::map<std::string, std::deque<rules::Outcome>> script;         ///< by token; then: accepted
  bool holds_answers = false;
  std::optional<rules::Outcome> to_all;  ///< what everybody gets, without being received
  bool loses_answers = false;            ///< it accepts, and nobody is told
  std::chrono::milliseconds timeout = 10s;
  std::set<base::DeviceId> hanging;  ///< these do not answer, and get nothing
  /// By provider: it cannot be reached, or it takes requests and does nothing with them.
  enum class Dead { refuses, hangs };
  std::map<std::string_view, Dead> dead;
  /// What one request needs more than the way: requests of one connection overtake one another.
  std::function<std::chrono::milliseconds()> delay;

  void answer(const rules::Device& device, std::vector<rules::Outcome> outcomes) {
    auto& queue = script[std::string(device.token.reveal())];
    queue.insert(queue.end(), outcomes.begin(), outcomes.end());
  }
  [[nodiscard]] std::size_t count(base::NotificationId id) const {
    return static_cast<std::size_t>(
        std::count_if(received.begin(), received.end(),
                      [id](const Received& r) { return r.notification == id; }));
  }
};

/// Lifetime: `service`, `link` and `name` outlive this. `name` is that of a push service.
class FakeProvider final : public providers::Provider {
 public:
  FakeProvider(FakePushService& service, FakeLink& link, std::string_view name = "apns")
      : service_(service), link_(link), name_(name) {}

  [[nodiscard]] std::size_t under_way() const { return under_way_; }
  [[nodiscard]] std::size_t under_way_max() const { return under_way_max_; }

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::optional<rules::Flaw> flaw_of(const rules::Device& device) const override {
    if (name_ != "apns") return std::nullopt;
    return rules::apns_flaw_of(device, rules::Environment::production);
  }
  [[nodiscard]] std::chrono::milliseconds request_timeout() const override {
    return service_.timeout;
  }
  [[nodiscard]] http2::PoolCounters counters() const override { return {}; }
  [[nodiscard]] async::Task<void> stop(base::Deadline) override { co_return; }

  [[nodiscard]] async::Task<rules::Outcome> send(const rules::Notification& notification,
                                                 const rules::Style& style,
                                                 const rules::Device& device,
                                                 base::Deadline deadline) override {
    const Counted counted(*this);
    const base::SteadyTime left = link_.timers.clock().steady_now();
    const auto way = link_.one_way + (service_.delay ? service_.delay() : 0ms);
    co_await link_.timers.sleep_for(way);
    // A node that stood still on the way there finds its connection closed.
    const bool stood_still = link_.timers.clock().steady_now() > left + way + 500ms;
    if (link_.is_cut || stood_still) co_return unknown();
    if (is_dead(FakePushService::Dead::refuses)) {
      co_return rules::Outcome{.kind = rules::OutcomeKind::not_processed,
                               .code = "unavailable",
                               .message = "it cannot be reached"};
    }
    if (is_dead(FakePushService::Dead::hangs)) {
      co_await link_.timers.sleep_until(deadline);
      co_return unknown();  // it is never received, also if the service is back by now
    }
    while (service_.hanging.contains(device.id)) {
      if (deadline.passed(link_.timers.clock().steady_now())) co_return unknown();
      co_await link_.timers.sleep_for(10ms);
    }
    if (service_.to_all) co_return *service_.to_all;
    rules::Outcome outcome = receive(notification, style, device);
    co_await link_.timers.sleep_for(link_.one_way);
    if (link_.is_cut || service_.loses_answers) co_return unknown();
    while (service_.holds_answers && !link_.is_cut) {
      if (deadline.passed(link_.timers.clock().steady_now())) co_return unknown();
      co_await link_.timers.sleep_for(10ms);
    }
    co_return outcome;
  }

 private:
  struct Counted {
    explicit Counted(FakeProvider& p) : provider(p) {
      provider.under_way_max_ = std::max(provider.under_way_max_, ++provider.under_way_);
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --provider.under_way_; }
    FakeProvider& provider;
  };

  [[nodiscard]] bool is_dead(FakePushService::Dead how) const {
    const auto found = service_.dead.find(name_);
    return found != service_.dead.end() && found->second == how;
  }
  static rules::Outcome unknown() {
    return {.kind = rules::OutcomeKind::unknown, .code = "timed_out", .message = "no answer"};
  }

  rules::Outcome receive(const rules::Notification& n, const rules::Style& style,
                         const rules::Device& device) {
    service_.received.push_back({n.id, device.id, rules::apns_headers(n, device.id).id,
                                 link_.timers.clock().now(), style, n.presentation.data});
    link_.note({.kind = Journal::Kind::sent,
                .notification = n.id,
                .device = device.id,
                .owns = service_.is_lease_of && service_.is_lease_of(link_.node, n.id)});
    auto& queue = service_.script[std::string(device.token.reveal())];
    if (queue.empty()) return {.kind = rules::OutcomeKind::accepted};
    rules::Outcome outcome = std::move(queue.front());
    queue.pop_front();
    return outcome;
  }

  FakePushService& service_;
  FakeLink& link_;
  std::string_view name_;
  std::size_t under_way_ = 0;
  std::size_t under_way_max_ = 0;
};

}  // namespace notify::fakes
