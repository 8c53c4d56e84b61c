#pragma once
// The answers of Firebase Cloud Messaging, and their consequences.
// Source: Firebase, "ErrorCode" and "HTTP response codes" of the v1 API, "Scale FCM"; Google's
//         google.rpc.Status, google.rpc.BadRequest and google.firebase.fcm.v1.FcmError.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "rules/meaning.hpp"

namespace notify::rules {

struct FcmAnswer {
  int status = 0;            ///< of HTTP
  std::string rpc_status;    ///< google.rpc.Status, as INVALID_ARGUMENT; may be empty
  std::string error_code;    ///< of the FcmError among the details, as UNREGISTERED; may be empty
  bool names_token = false;  ///< a field violation, or the message, is about the token
  bool names_field = false;  ///< a field violation is about something else
  std::optional<std::chrono::seconds> retry_after;
};

/// Reads `{"error":{"code":..,"message":"..","status":"..","details":[..]}}`; tolerates anything.
/// `now` is for a Retry-After that is a date.
[[nodiscard]] FcmAnswer parse_fcm_answer(int status, std::string_view body,
                                         std::string_view retry_after, base::WallTime now);

/// The table.
[[nodiscard]] std::span<const Meaning> fcm_answers();

/// FCM took our access token for bad, and said nothing about the message: a new one may help. A 401
/// with an FcmError is about the credentials of Apple or a browser in the Firebase project.
[[nodiscard]] bool refuses_access_token(const FcmAnswer& answer);

/// The answer's meaning for the device. Only three answers are about its registration:
/// UNREGISTERED, SENDER_ID_MISMATCH, and INVALID_ARGUMENT that names the token and nothing else. No
/// other answer drops a token, known or not.
[[nodiscard]] Outcome fcm_outcome(const FcmAnswer& answer);

}  // namespace notify::rules
