#include "push-simulator/grpc_answers.hpp"

#include <grpcpp/alarm.h>

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace notify::simulator {
namespace {

using grpc::Status;

/// A call that is answered late, or only when its caller has given up.
class HeldCall final : public grpc::ServerUnaryReactor {
 public:
  explicit HeldCall(Status status) : status_(std::move(status)) {}

  void answer_after(std::chrono::milliseconds delay) {
    alarm_.Set(std::chrono::system_clock::now() + delay,
               [this](bool fired) { finish(fired ? status_ : Status::CANCELLED, Part::alarm); });
  }
  /// There is no alarm that would have to come in before this may be deleted.
  void never_answer() { release(Part::alarm); }

  void OnCancel() override {
    alarm_.Cancel();
    finish(Status::CANCELLED, Part::none);
  }
  void OnDone() override { release(Part::call); }

 private:
  enum class Part : std::uint8_t { none, alarm, call };

  void finish(const Status& status, Part part) {
    if (!finished_.exchange(true)) Finish(status);
    release(part);
  }
  /// Deleted once both gRPC and the alarm have let go.
  void release(Part part) {
    if (part == Part::none) return;
    if (held_by_.fetch_sub(1) == 1) delete this;
  }

  Status status_;
  grpc::Alarm alarm_;
  std::atomic<bool> finished_{false};
  std::atomic<int> held_by_{2};
};

}  // namespace

void CallStats::count(std::string_view method, grpc::StatusCode code) {
  const std::lock_guard lock(mutex_);
  auto found = calls_.find(method);
  if (found == calls_.end()) found = calls_.emplace(method, decltype(found->second){}).first;
  ++found->second[code];
}

void CallStats::clear() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

nlohmann::json CallStats::stats() const {
  const std::lock_guard lock(mutex_);
  nlohmann::json calls = nlohmann::json::object();
  for (const auto& [method, codes] : calls_) {
    for (const auto& [code, count] : codes) calls[method][grpc_status_name(code)] = count;
  }
  return calls;
}

grpc::ServerUnaryReactor* hold() {
  auto* held = new HeldCall(Status::CANCELLED);
  held->never_answer();
  return held;
}

grpc::ServerUnaryReactor* answer_after(std::chrono::milliseconds delay, const Status& status) {
  auto* held = new HeldCall(status);
  held->answer_after(delay);
  return held;
}

}  // namespace notify::simulator
