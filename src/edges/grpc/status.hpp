#pragma once
// How an error of ours becomes a gRPC status: the only place that decides it.
// Source: google/rpc/code.proto; google/rpc/error_details.proto.

#include <grpcpp/support/status.h>

#include "flows/refusal.hpp"
#include "google/rpc/status.pb.h"

namespace notify::edges {

/// Who defines the reasons in ErrorInfo.
inline constexpr const char* kErrorDomain = "notification.whispr";

/// The status with its details: ErrorInfo always, BadRequest for violations, QuotaFailure for a
/// rate limit, RetryInfo for a delay. Limits: details travel in a header of at most 8 KiB, so at
/// most 25 violations are named.
void encode(const flows::Refusal& refusal, google::rpc::Status& status);
/// The same, as the end of a call.
[[nodiscard]] grpc::Status to_status(const flows::Refusal& refusal);

}  // namespace notify::edges
