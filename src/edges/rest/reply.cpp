#include "edges/rest/reply.hpp"

#include <nlohmann/json.hpp>

#include "edges/grpc/status.hpp"
#include "edges/rest/transcode.hpp"
#include "google/rpc/code.pb.h"
#include "google/rpc/error_details.pb.h"

namespace notify::edges::rest {
namespace {

using OrderedJson = nlohmann::ordered_json;

unsigned http_status_of(int code) {
  switch (code) {
    case google::rpc::INVALID_ARGUMENT: return 400;
    case google::rpc::UNAUTHENTICATED: return 401;
    case google::rpc::PERMISSION_DENIED: return 403;
    case google::rpc::NOT_FOUND: return 404;
    case google::rpc::ABORTED:
    case google::rpc::ALREADY_EXISTS: return 409;
    case google::rpc::RESOURCE_EXHAUSTED: return 429;
    case google::rpc::UNAVAILABLE: return 503;
    case google::rpc::DEADLINE_EXCEEDED: return 504;
    default: return 500;
  }
}

std::string body_of(unsigned http_status, const google::rpc::Status& status) {
  // protobuf's parser of its own output: the details are messages of any type.
  const OrderedJson written = OrderedJson::parse(to_json(status).value_or("{}"));
  const OrderedJson error = {
      {"code", http_status},
      {"status", google::rpc::Code_Name(static_cast<google::rpc::Code>(status.code()))},
      {"message", status.message()},
      {"details", written.value("details", OrderedJson::array())}};
  return OrderedJson{{"error", error}}.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string in_seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

Reply to_reply(const flows::Refusal& refusal) {
  google::rpc::Status status;
  encode(refusal, status);
  Reply reply{http_status_of(status.code()), {}, {}};
  reply.body = body_of(reply.status, status);
  if (reply.status == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (refusal.retry_after) {
    reply.headers.emplace_back("Retry-After", in_seconds(*refusal.retry_after));
  }
  return reply;
}

Headers quota_headers(const flows::RequestStanding& standing) {
  return {{"RateLimit-Limit", std::to_string(standing.allowed)},
          {"RateLimit-Remaining", std::to_string(standing.left)},
          {"RateLimit-Reset", in_seconds(standing.resets_in)}};
}

Reply http_error(unsigned status, std::string_view reason, std::string message) {
  google::rpc::Status error;
  error.set_code(status == 404   ? google::rpc::NOT_FOUND
                 : status == 408 ? google::rpc::DEADLINE_EXCEEDED
                                 : google::rpc::INVALID_ARGUMENT);
  error.set_message(std::move(message));
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kErrorDomain);
  error.add_details()->PackFrom(info);
  return {status, body_of(status, error), {}};
}

Reply unauthorized(std::string_view why) {
  Reply reply = to_reply(flows::refuse({base::Errc::unauthenticated, std::string(why)}).error());
  std::string challenge = "Bearer";
  // The reasons are ours and need no escape.
  if (!why.empty()) {
    challenge += R"( error="invalid_token", error_description=")" + std::string(why) + '"';
  }
  reply.headers = {{"WWW-Authenticate", std::move(challenge)}};
  return reply;
}

}  // namespace notify::edges::rest
