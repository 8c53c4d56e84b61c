#pragma once
// The one shape of the outcome tables: what each answer of a push service leads to. Each service
// keeps its rows in its own file; docs/PROVIDERS.md and the conformance cases are made from them.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "rules/outcome.hpp"

namespace notify::rules {

/// The consequence of an answer. Only `drop_address` gives up a registration.
enum class Consequence : std::uint8_t {
  delivered = 1,        ///< the push service took it
  drop_address,         ///< this registration is dead: compare and clear it, with the time
  retry_address,        ///< this address later; others are not concerned
  retry_provider,       ///< the push service is in trouble: later
  refresh_credentials,  ///< new credentials, and one more try at once
  reconnect,            ///< this connection is of no more use: one more try at once on another
  caller_fault,         ///< this notification is never accepted
  config_fault,         ///< our configuration or our account: call an operator, drop nothing
  unknown,              ///< it may have been taken
};

[[nodiscard]] std::string_view name(Consequence consequence);

/// The place in an answer at which its reason stands. Scripts of the conformance cases use the
/// names.
enum class AnswerForm : std::uint8_t {
  status = 1,   ///< no reason: the status alone decides
  reason,       ///< `reason` of the JSON body: Apple, and browsers' push services
  errno_code,   ///< `errno` of Mozilla's JSON body
  wns_error,    ///< the header X-WNS-Error-Description, of Microsoft
  fcm_error,    ///< `errorCode` of an FcmError
  rpc_status,   ///< `status` of google.rpc.Status, without an FcmError
  names_token,  ///< INVALID_ARGUMENT of FCM that names the token and nothing else
  names_field,  ///< INVALID_ARGUMENT of FCM that names another field, or none
};

[[nodiscard]] std::string_view name(AnswerForm form);

/// auth-service must have said this of a device before an answer can condemn its token.
enum class Proviso : std::uint8_t {
  none = 1,
  environment_known,  ///< else the token may be one of the other environment
  app_known,          ///< else our own topic may be the wrong one
};

/// A row. The first row that fits an answer counts.
struct Meaning {
  int status = 0;      ///< of HTTP
  int status_max = 0;  ///< the end of a range that begins at `status`; 0: only `status`
  AnswerForm form = AnswerForm::status;
  std::string_view reason;  ///< empty if `form` is `status`
  Consequence leads_to = Consequence::unknown;
  std::string_view message;                     ///< for people
  Consequence if_again = Consequence::unknown;  ///< of the one more try: see final_consequence()
  std::chrono::seconds retry_min{0};            ///< without a Retry-After, the shortest wait
  Proviso proviso = Proviso::none;

  [[nodiscard]] constexpr bool has_status(int answered) const {
    return answered >= status && answered <= (status_max == 0 ? status : status_max);
  }
};

/// The last row of each table: any status at all.
inline constexpr int kStatusMin = 0;
inline constexpr int kStatusMax = 999;

/// Whether the provider tries once more by itself.
[[nodiscard]] constexpr bool tries_again(Consequence consequence) {
  return consequence == Consequence::refresh_credentials || consequence == Consequence::reconnect;
}

/// The consequence if the one more try gets the same answer, or if there is none.
[[nodiscard]] constexpr Consequence final_consequence(const Meaning& meaning) {
  return tries_again(meaning.leads_to) ? meaning.if_again : meaning.leads_to;
}

/// `consequence` is a final one.
[[nodiscard]] OutcomeKind kind_of(Consequence consequence);

/// The first row for which `fits` holds. The last row of a table fits every answer.
template <class Fits>
[[nodiscard]] const Meaning& first_meaning(std::span<const Meaning> table, Fits fits) {
  for (const Meaning& meaning : table.first(table.size() - 1)) {
    if (fits(meaning)) return meaning;
  }
  return table.back();
}

/// `reason` is clean, and at most 40 characters long.
[[nodiscard]] Outcome outcome_of(const Meaning& meaning, int status, std::string_view reason);

}  // namespace notify::rules
