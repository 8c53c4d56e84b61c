#include "edges/grpc/status.hpp"

#include "google/rpc/error_details.pb.h"

namespace notify::edges {
namespace {

using base::Errc;

struct Mapping {
  grpc::StatusCode code;
  const char* reason;   ///< stable: callers may branch on it
  const char* message;  ///< what the caller should do
};

/// What is said otherwise of a template.
std::optional<Mapping> mapping_for_template(Errc code) {
  if (code == Errc::not_found) {
    return Mapping{grpc::StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such template"};
  }
  if (code == Errc::already_exists) {
    return Mapping{grpc::StatusCode::ALREADY_EXISTS, "TEMPLATE_EXISTS",
                   "there is a template of this name: update it, or choose another name"};
  }
  return std::nullopt;
}

Mapping mapping_of(const flows::Refusal& refusal) {
  const Errc code = refusal.error.code;
  if (refusal.limit) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, "RATE_LIMITED",
            "a rate limit is reached: repeat the call after the delay"};
  }
  if (refusal.subject == flows::Subject::message_template) {
    if (const auto mapping = mapping_for_template(code)) return *mapping;
  }
  switch (code) {
    case Errc::invalid:
      return {grpc::StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST",
              "the request has invalid fields: see the details"};
    case Errc::not_found:
      return {grpc::StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such notification"};
    case Errc::conflict:
      return {grpc::StatusCode::ABORTED, "CONFLICT", "somebody else changed it: read it again"};
    case Errc::already_exists:
      return {grpc::StatusCode::ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED",
              "idempotency_key was used for a request with other fields in the last 24 hours: use "
              "a new key"};
    case Errc::unauthenticated:
      return {grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED", "the caller is not known"};
    case Errc::permission_denied:
      return {grpc::StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED",
              "the caller may not do this"};
    case Errc::overloaded:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED",
              "the service is at its limit: repeat the call after the delay"};
    case Errc::unavailable:
      return {grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE",
              "a part of the service is not available: repeat the call after the delay"};
    case Errc::timed_out:
      return {grpc::StatusCode::DEADLINE_EXCEEDED, "TIMED_OUT",
              "the deadline passed; it may have been done"};
    case Errc::cancelled:
      return {grpc::StatusCode::CANCELLED, "CANCELLED", "the call was cancelled"};
    case Errc::corrupt:
    case Errc::internal: break;
  }
  return {grpc::StatusCode::INTERNAL, "INTERNAL", "an error inside the service: its log says more"};
}

void add_violations(google::rpc::Status& status, const rules::Violations& violations) {
  constexpr std::size_t kNamedMax = 25;
  google::rpc::BadRequest bad_request;
  for (std::size_t i = 0; i < violations.size() && i < kNamedMax; ++i) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(violations[i].field);
    violation->set_description(violations[i].description);
  }
  if (violations.size() > kNamedMax) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field("*");
    violation->set_description("and " + std::to_string(violations.size() - kNamedMax) + " more");
  }
  status.add_details()->PackFrom(bad_request);
}

/// For programs in ErrorInfo, for tools that know Google's details in QuotaFailure.
void add_limit(google::rpc::Status& status, google::rpc::ErrorInfo& info,
               const rules::LimitReached& limit) {
  const std::string text = rules::describe(limit);
  status.set_message(status.message() + " (" + text + ")");
  auto& metadata = *info.mutable_metadata();
  metadata["limit"] = limit.limit;
  metadata["allowed"] = std::to_string(limit.allowed);
  metadata["left"] = std::to_string(limit.left());
  google::rpc::QuotaFailure failure;
  auto* violation = failure.add_violations();
  violation->set_subject(limit.subject);
  violation->set_description(text);
  status.add_details()->PackFrom(failure);
}

}  // namespace

void encode(const flows::Refusal& refusal, google::rpc::Status& status) {
  const Mapping mapping = mapping_of(refusal);
  status.set_code(static_cast<std::int32_t>(mapping.code));
  status.set_message(mapping.message);

  google::rpc::ErrorInfo info;
  info.set_reason(mapping.reason);
  info.set_domain(kErrorDomain);
  if (refusal.limit) add_limit(status, info, *refusal.limit);
  // Why, for whoever sets up certificates.
  if (refusal.error.code == Errc::unauthenticated && !refusal.error.detail.empty()) {
    status.set_message(refusal.error.detail);
  }
  status.add_details()->PackFrom(info);
  if (!refusal.violations.empty()) {
    // The first one in words too: many tools show the message only.
    const rules::Violation& first = refusal.violations.front();
    status.set_message(first.field + " " + first.description);
    if (refusal.violations.size() > 1) {
      status.set_message(status.message() + " (and " +
                         std::to_string(refusal.violations.size() - 1) + " more, see the details)");
    }
    add_violations(status, refusal.violations);
  }
  if (refusal.retry_after) {
    google::rpc::RetryInfo retry;
    const auto ms = refusal.retry_after->count();
    retry.mutable_retry_delay()->set_seconds(ms / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>(ms % 1000) * 1'000'000);
    status.add_details()->PackFrom(retry);
  }
}

grpc::Status to_status(const flows::Refusal& refusal) {
  google::rpc::Status status;
  encode(refusal, status);
  return {static_cast<grpc::StatusCode>(status.code()), status.message(),
          status.SerializeAsString()};
}

}  // namespace notify::edges
