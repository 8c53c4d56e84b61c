#pragma once
// Scripted trouble: what a test asks the simulator to do wrong, how often, and to whom.

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace notify::simulator {

enum class FaultTarget : std::uint8_t { apns, fcm, oauth, webpush, auth, user };

enum class FaultKind : std::uint8_t {
  answer,         ///< this status instead of the right one
  delay,          ///< the right answer, late (it counts at once)
  hang,           ///< never an answer
  goaway,         ///< this request is not processed, and the connection winds up
  goaway_after,   ///< this request is answered, and the connection winds up
  max_streams,    ///< the right answer, after the limit of streams was set anew
  refuse_stream,  ///< RST_STREAM REFUSED_STREAM
  cut_before,     ///< the connection breaks before the request is accepted
  cut_after,      ///< the connection breaks after it is accepted, before the answer
  half_close,     ///< the server writes nothing more, and reads on
};
[[nodiscard]] std::string_view name(FaultKind kind);
[[nodiscard]] std::string_view name(FaultTarget target);

/// `UNAVAILABLE` for 14, and so on.
[[nodiscard]] std::string grpc_status_name(int code);

struct Fault {
  FaultTarget target = FaultTarget::apns;
  FaultKind kind = FaultKind::answer;
  std::string token;   ///< only requests to this token, or about it; empty: all
  std::string method;  ///< only this method of a gRPC service; empty: all
  std::int64_t left = 1;
  static constexpr std::int64_t kUnlimited = -1;

  int status = 0;      ///< of HTTP
  std::string reason;  ///< the provider's, also in a GOAWAY
  std::string form;    ///< the place at which `reason` stands, see README.md; empty: the usual one
  std::optional<std::int64_t> timestamp_ms;
  std::optional<std::int64_t> retry_after_s;
  int grpc_status = 0;
  std::uint32_t max_streams = 0;
  std::chrono::milliseconds delay{0};  ///< of `delay`, or before an `answer`
};

/// Errors: invalid, with what is wrong in words.
[[nodiscard]] base::Expected<Fault> parse_fault(const nlohmann::json& value);

/// Threading: any.
class FaultBook {
 public:
  static constexpr std::size_t kMaxFaults = 10'000;

  /// Errors: overloaded beyond kMaxFaults.
  [[nodiscard]] base::Expected<void> add(Fault fault);
  void clear();
  [[nodiscard]] std::size_t size() const;

  /// The first fault that fits; its count goes down by one.
  [[nodiscard]] std::optional<Fault> take(FaultTarget target, std::string_view token,
                                          std::string_view method);

 private:
  mutable std::mutex mutex_;
  std::deque<Fault> faults_;
};

}  // namespace notify::simulator
