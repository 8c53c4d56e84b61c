#pragma once
// Answers one request to a push provider: by a scripted fault if there is one, else by the
// provider's rules. Then it keeps the books. A provider adds its rules and its form of refusals.

#include <boost/container/static_vector.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "push-simulator/faults.hpp"
#include "push-simulator/http2_session.hpp"
#include "push-simulator/ledger.hpp"
#include "push-simulator/received_log.hpp"
#include "push-simulator/scripted_tokens.hpp"

namespace notify::simulator {

/// The connection carries it out.
struct ProviderAction {
  enum class Kind : std::uint8_t { respond, hang, go_away, refuse_stream, cut, half_close };
  Kind kind = Kind::respond;
  HttpResponse response;
  std::chrono::milliseconds delay{0};
  std::string goaway_debug;
  bool opens_gate = false;        ///< lifts the limit of streams on a new connection
  bool goes_away_after = false;   ///< GOAWAY follows the response
  std::uint32_t max_streams = 0;  ///< the limit of streams from now on; 0: as it is
};

/// The verdict of a provider's rules on one request.
/// Lifetime:  views into the request, or into what the endpoint keeps until its next judge().
struct Judgement {
  static constexpr std::size_t kMaxFields = 12;

  FaultTarget target = FaultTarget::apns;  ///< faults for it may apply
  std::string_view token;                  ///< faults and books go by it
  std::string id;                          ///< of the message: the request's, or made for it
  std::string_view id_name = "id";         ///< in the received log
  std::string_view notification_id;        ///< the payload's own key; may be empty
  std::string_view payload;                ///< as the app would see it
  bool payload_is_json = false;
  std::string_view reason;  ///< empty if accepted
  HttpResponse response;    ///< the right answer
  bool is_push = true;      ///< false: it is answered, but the books do not count it
  bool opens_gate = false;
  boost::container::static_vector<ReceivedField, kMaxFields> fields;  ///< for the received log
};

/// Threading: one thread.
/// Lifetime:  everything referred to outlives this; `log` may be null (no received log).
class ProviderEndpoint {
 public:
  struct Books {
    FaultBook& faults;
    Ledger& ledger;
    ReceivedLog* log = nullptr;
    const base::Clock& clock;
  };

  virtual ~ProviderEndpoint() = default;

  [[nodiscard]] ProviderAction handle(const HttpRequest& request, std::uint64_t connection);
  [[nodiscard]] Ledger& ledger() { return books_.ledger; }

 protected:
  ProviderEndpoint(std::string_view provider, const Books& books)
      : provider_(provider), books_(books) {}
  [[nodiscard]] const base::Clock& clock() const { return books_.clock; }

 private:
  struct Outcome {
    int status = 0;
    std::string_view reason;
    std::string_view fault;
    bool accepted = false;
  };

  /// The provider's rules.
  [[nodiscard]] virtual Judgement judge(const HttpRequest& request, base::WallTime now) = 0;
  /// The answer with a scripted status and reason, in the provider's form.
  [[nodiscard]] virtual HttpResponse scripted_answer(const Fault& fault,
                                                     const Judgement& judgement) = 0;
  /// The debug data of a scripted GOAWAY; `reason` is not empty.
  [[nodiscard]] virtual std::string goaway_debug(std::string_view reason) = 0;
  /// Called for a request that is counted as accepted and deserved it.
  virtual void deliver(const HttpRequest&, const Judgement&) {}

  [[nodiscard]] Outcome apply(const Fault& fault, Judgement& judgement, ProviderAction& action);
  void write_down(const Judgement& judgement, const Outcome& outcome, base::WallTime now,
                  std::uint64_t connection);

  std::string_view provider_;
  Books books_;
  ScriptedTokens scripts_;
};

}  // namespace notify::simulator
