#include "push-simulator/faults.hpp"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using nlohmann::json;

/// The names of grpc::StatusCode, by number.
constexpr std::array<std::string_view, 17> kGrpcStatuses{
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

std::optional<int> grpc_status_number(std::string_view text) {
  for (std::size_t i = 1; i < kGrpcStatuses.size(); ++i) {
    if (kGrpcStatuses[i] == text) return static_cast<int>(i);
  }
  return std::nullopt;
}

std::optional<FaultTarget> target_of(std::string_view text) {
  if (text == "apns") return FaultTarget::apns;
  if (text == "fcm") return FaultTarget::fcm;
  if (text == "oauth") return FaultTarget::oauth;
  if (text == "webpush") return FaultTarget::webpush;
  if (text == "auth") return FaultTarget::auth;
  if (text == "user") return FaultTarget::user;
  return std::nullopt;
}

bool speaks_grpc(FaultTarget target) {
  return target == FaultTarget::auth || target == FaultTarget::user;
}

Expected<void> check_fault_fields(const json& value) {
  static const std::set<std::string_view> kKnown{
      "target", "token", "method", "count",         "status",   "reason",      "timestamp",
      "hang",   "cut",   "goaway", "refuse_stream", "delay_ms", "retry_after", "grpc_status"};
  for (const auto& [key, unused] : value.items()) {
    if (!kKnown.contains(key)) return fail(Errc::invalid, fmt::format("unknown field '{}'", key));
  }
  return {};
}

Expected<FaultKind> parse_kind(const json& value) {
  std::optional<FaultKind> kind;
  int kinds = 0;
  const auto choose = [&](FaultKind chosen) {
    kind = chosen;
    ++kinds;
  };
  if (value.contains("status") || value.contains("grpc_status")) choose(FaultKind::answer);
  if (value.value("hang", false)) choose(FaultKind::hang);
  if (value.value("goaway", false)) choose(FaultKind::goaway);
  if (value.value("refuse_stream", false)) choose(FaultKind::refuse_stream);
  if (value.contains("cut")) {
    const auto when = value.at("cut").get<std::string>();
    if (when != "before" && when != "after") {
      return fail(Errc::invalid, "'cut' is \"before\" or \"after\"");
    }
    choose(when == "before" ? FaultKind::cut_before : FaultKind::cut_after);
  }
  if (kinds == 0 && value.contains("delay_ms")) choose(FaultKind::delay);
  if (kinds != 1) {
    return fail(Errc::invalid,
                "exactly one of status, grpc_status, delay_ms, hang, goaway, refuse_stream, cut");
  }
  return *kind;
}

Expected<Fault> parse_checked(const json& value) {
  Fault fault;
  const auto target = target_of(value.value("target", "apns"));
  if (!target) {
    return fail(Errc::invalid,
                R"('target' is "apns", "fcm", "oauth", "webpush", "auth" or "user")");
  }
  fault.target = *target;
  const auto kind = parse_kind(value);
  if (!kind) return fail(kind.error());
  fault.kind = *kind;
  fault.token = value.value("token", "");
  fault.method = value.value("method", "");
  fault.left = value.value("count", std::int64_t{1});
  fault.status = value.value("status", 0);
  fault.reason = value.value("reason", "");
  if (value.contains("timestamp")) fault.timestamp_ms = value.at("timestamp").get<std::int64_t>();
  if (value.contains("retry_after")) {
    fault.retry_after_s = value.at("retry_after").get<std::int64_t>();
  }
  fault.delay = std::chrono::milliseconds(value.value("delay_ms", std::int64_t{0}));
  if (value.contains("grpc_status")) {
    const auto number = grpc_status_number(value.at("grpc_status").get<std::string>());
    if (!number) return fail(Errc::invalid, "'grpc_status' is a name such as \"UNAVAILABLE\"");
    fault.grpc_status = *number;
  }

  if (fault.left == 0 || fault.left < Fault::kUnlimited) {
    return fail(Errc::invalid, "'count' is 1 or more, or -1");
  }
  if (fault.delay.count() < 0 || fault.delay > std::chrono::hours(24)) {
    return fail(Errc::invalid, "'delay_ms' is from 0 to 86400000");
  }
  if (speaks_grpc(fault.target)) {
    const bool possible = fault.kind == FaultKind::hang || fault.kind == FaultKind::delay ||
                          (fault.kind == FaultKind::answer && fault.grpc_status != 0);
    if (!possible)
      return fail(Errc::invalid, "a service over gRPC knows grpc_status, delay_ms and hang");
  } else if (fault.grpc_status != 0) {
    return fail(Errc::invalid, "only 'auth' and 'user' know grpc_status");
  } else if (fault.kind == FaultKind::answer && (fault.status < 200 || fault.status > 599)) {
    return fail(Errc::invalid, "'status' is from 200 to 599");
  }
  return fault;
}

}  // namespace

std::string_view name(FaultKind kind) {
  switch (kind) {
    case FaultKind::answer: return "status";
    case FaultKind::delay: return "delay";
    case FaultKind::hang: return "hang";
    case FaultKind::goaway: return "goaway";
    case FaultKind::refuse_stream: return "refuse_stream";
    case FaultKind::cut_before: return "cut_before";
    case FaultKind::cut_after: return "cut_after";
  }
  return "unknown";
}

std::string grpc_status_name(int code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kGrpcStatuses.size() ? std::string(kGrpcStatuses[index]) : std::to_string(code);
}

Expected<Fault> parse_fault(const json& value) {
  if (!value.is_object()) return fail(Errc::invalid, "a fault is an object");
  if (auto names = check_fault_fields(value); !names) return fail(names.error());
  try {
    return parse_checked(value);
  } catch (const json::exception& error) {  // a field of the wrong type
    return fail(Errc::invalid, error.what());
  }
}

Expected<void> FaultBook::add(Fault fault) {
  const std::lock_guard lock(mutex_);
  if (faults_.size() >= kMaxFaults) return fail(Errc::overloaded, "too many faults");
  faults_.push_back(std::move(fault));
  return {};
}

void FaultBook::clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

std::size_t FaultBook::size() const {
  const std::lock_guard lock(mutex_);
  return faults_.size();
}

std::optional<Fault> FaultBook::take(FaultTarget target, std::string_view token,
                                     std::string_view method) {
  const std::lock_guard lock(mutex_);
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    const bool fits = fault->target == target && (fault->token.empty() || fault->token == token) &&
                      (fault->method.empty() || fault->method == method);
    if (!fits) continue;
    Fault taken = *fault;
    if (fault->left != Fault::kUnlimited && --fault->left == 0) faults_.erase(fault);
    return taken;
  }
  return std::nullopt;
}

}  // namespace notify::simulator
