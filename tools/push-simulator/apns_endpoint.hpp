#pragma once
// What the simulator does with one request: a scripted fault if there is one, Apple's rules if not,
// then the books. Everything but the bytes.

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "push-simulator/apns_rules.hpp"
#include "push-simulator/faults.hpp"
#include "push-simulator/http2_session.hpp"
#include "push-simulator/ledger.hpp"
#include "push-simulator/received_log.hpp"

namespace notify::simulator {

struct ApnsAction {
  enum class Kind : std::uint8_t { respond, hang, go_away, refuse_stream, cut };
  Kind kind = Kind::respond;
  HttpResponse response;
  std::chrono::milliseconds delay{0};
  std::string goaway_debug;
  bool provider_token_valid = false;  ///< lifts the limit of one stream on a new connection
};

/// Threading: one thread.
/// Lifetime:  everything referred to outlives this; `log` may be null (no received log).
class ApnsEndpoint {
 public:
  struct Parts {
    ApnsRules& rules;
    FaultBook& faults;
    Ledger& ledger;
    ReceivedLog* log = nullptr;
    const base::Clock& clock;
    base::Rng& rng;
  };

  explicit ApnsEndpoint(const Parts& parts) : parts_(parts), ids_(parts.clock, parts.rng) {}

  [[nodiscard]] ApnsAction handle(const HttpRequest& request, std::uint64_t connection);
  [[nodiscard]] Ledger& ledger() { return parts_.ledger; }

 private:
  struct Outcome {
    int status = 0;
    std::string_view reason;
    std::string_view fault;
    bool accepted = false;
  };

  [[nodiscard]] Outcome apply(const Fault& fault, const ApnsVerdict& verdict, ApnsAction& action);
  void answer(const ApnsVerdict& verdict, ApnsAction& action);

  Parts parts_;
  base::UuidV7Generator ids_;
};

}  // namespace notify::simulator
