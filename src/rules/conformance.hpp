#pragma once
// The cases that `notification-service conformance` and its test play over real sockets: a provider
// must make this of each answer and each fault of its push service. There is one for every row of
// every outcome table, so that no row is without a test.
//
// A server is told what to do by the device's token, which carries a script: see
// tools/push-simulator/README.md, "Tokens that are scripts".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "rules/meaning.hpp"
#include "rules/push_service.hpp"

namespace notify::rules {

/// The server that a case is played against.
enum class Stage : std::uint8_t {
  target = 1,           ///< the one that plays scripts
  expired_certificate,  ///< one whose certificate has expired
  closed_port,          ///< none: nothing listens
  unknown_host,         ///< none: the name does not exist
};

/// A fact about the device that makes an answer doubtful.
enum class Doubt : std::uint8_t {
  none = 1,
  no_environment,    ///< auth-service does not say it
  no_app,            ///< auth-service does not say it
  registered_since,  ///< after the time that the answer is about
};

struct ConformanceCase {
  std::string_view service;      ///< its name
  const Meaning* row = nullptr;  ///< of the table; nullptr: the transport
  std::string event;             ///< for people: the server's doing
  Stage stage = Stage::target;
  std::string script;  ///< a JSON object without its braces
  Doubt doubt = Doubt::none;
  bool is_short = false;    ///< the deadline is ConformanceCase::kShort
  std::size_t at_once = 0;  ///< further notifications that are sent while it works

  // Expected:
  Consequence leads_to = Consequence::unknown;
  OutcomeKind kind = OutcomeKind::unknown;
  std::size_t requests = 1;  ///< given to a connection, for this notification
  std::optional<std::chrono::seconds> retry_after;
  std::optional<base::WallTime> invalid_since;  ///< the push service's own time

  static constexpr std::chrono::milliseconds kShort{400};
};

/// Each row of the table, with its doubts; what a row that tries again leads to if that fails.
[[nodiscard]] std::vector<ConformanceCase> answer_cases(const PushService& service,
                                                        base::WallTime now);

/// The transport's faults, which are the same for all.
[[nodiscard]] std::vector<ConformanceCase> transport_cases(const PushService& service);

}  // namespace notify::rules
