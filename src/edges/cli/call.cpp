#include "edges/cli/call.hpp"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace notify::edges {

std::string describe(const grpc::Status& status) {
  std::string text = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return text;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::BadRequest bad_request;
    if (!any.UnpackTo(&bad_request)) continue;
    for (const auto& violation : bad_request.field_violations()) {
      text += "\n  " + violation.field() + ": " + violation.description();
    }
  }
  return text;
}

void set_deadline(grpc::ClientContext& context, const base::Clock& clock,
                  std::chrono::milliseconds timeout) {
  const std::chrono::system_clock::time_point deadline = clock.now() + timeout;
  context.set_deadline(deadline);
}

}  // namespace notify::edges
