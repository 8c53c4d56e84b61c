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
  using enum FaultTarget;
  for (const FaultTarget target : {apns, fcm, oauth, webpush, auth, user}) {
    if (name(target) == text) return target;
  }
  return std::nullopt;
}

bool speaks_grpc(FaultTarget target) {
  return target == FaultTarget::auth || target == FaultTarget::user;
}

Expected<void> check_fault_fields(const json& value) {
  static const std::set<std::string_view> kKnown{
      "target",      "token",       "method", "count",      "status",        "reason",
      "timestamp",   "hang",        "cut",    "goaway",     "refuse_stream", "delay_ms",
      "retry_after", "grpc_status", "form",   "max_streams"};
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
  if (value.contains("goaway")) {
    const json& goaway = value.at("goaway");
    if (!goaway.is_boolean() && goaway != "after") {
      return fail(Errc::invalid, "'goaway' is true or \"after\"");
    }
    if (goaway == "after") choose(FaultKind::goaway_after);
    if (goaway == true) choose(FaultKind::goaway);
  }
  if (value.contains("max_streams")) choose(FaultKind::max_streams);
  if (value.value("refuse_stream", false)) choose(FaultKind::refuse_stream);
  if (value.contains("cut")) {
    const auto when = value.at("cut").get<std::string>();
    if (when != "before" && when != "after" && when != "half") {
      return fail(Errc::invalid, "'cut' is \"before\", \"after\" or \"half\"");
    }
    if (when == "half") choose(FaultKind::half_close);
    if (when == "before") choose(FaultKind::cut_before);
    if (when == "after") choose(FaultKind::cut_after);
  }
  if (kinds == 0 && value.contains("delay_ms")) choose(FaultKind::delay);
  if (kinds != 1) {
    return fail(Errc::invalid,
                "exactly one of status, grpc_status, delay_ms, hang, goaway, max_streams, "
                "refuse_stream, cut");
  }
  return *kind;
}

/// `form` and `max_streams`, which only providers know.
Expected<void> parse_form(const json& value, Fault& fault) {
  static const std::set<std::string_view> kForms{"status",      "reason",     "errno",
                                                 "wns_error",   "fcm_error",  "rpc_status",
                                                 "names_token", "names_field"};
  fault.form = value.value("form", "");
  if (!fault.form.empty() && !kForms.contains(fault.form)) {
    return fail(Errc::invalid,
                "'form' is status, reason, errno, wns_error, fcm_error, rpc_status, "
                "names_token or names_field");
  }
  const bool is_number =
      fault.reason.size() <= 9 && fault.reason.find_first_not_of("0123456789") == std::string::npos;
  if (fault.form == "errno" && (fault.reason.empty() || !is_number)) {
    return fail(Errc::invalid, "with the form errno 'reason' is a number of at most 9 digits");
  }
  if (fault.kind == FaultKind::max_streams) {
    const auto streams = value.at("max_streams").get<std::int64_t>();
    if (streams < 1 || streams > 1'000'000) {
      return fail(Errc::invalid, "'max_streams' is from 1 to 1000000");
    }
    fault.max_streams = static_cast<std::uint32_t>(streams);
  }
  return {};
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
  if (auto form = parse_form(value, fault); !form) return fail(form.error());
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
    case FaultKind::goaway_after: return "goaway_after";
    case FaultKind::max_streams: return "max_streams";
    case FaultKind::refuse_stream: return "refuse_stream";
    case FaultKind::cut_before: return "cut_before";
    case FaultKind::cut_after: return "cut_after";
    case FaultKind::half_close: return "half_close";
  }
  return "unknown";
}

std::string_view name(FaultTarget target) {
  switch (target) {
    case FaultTarget::apns: return "apns";
    case FaultTarget::fcm: return "fcm";
    case FaultTarget::oauth: return "oauth";
    case FaultTarget::webpush: return "webpush";
    case FaultTarget::auth: return "auth";
    case FaultTarget::user: return "user";
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
