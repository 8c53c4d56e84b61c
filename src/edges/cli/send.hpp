#pragma once
// `send`: one notification through a running service, as any caller would send it. For a first look
// and for checks after a deployment.

#include <chrono>
#include <string>

#include "base/expected.hpp"
#include "edges/cli/call.hpp"

namespace notify::edges {

struct SendOptions {
  ServiceAddress service;
  std::string user_id;
  std::string conversation_id;
  std::string type = "message";
  std::string title;
  std::string body;
  std::string priority = "medium";
  std::chrono::seconds ttl{0};  ///< 0: as long as its type is worth
  std::chrono::milliseconds timeout{10'000};
};

/// Returns the notification's id.
/// Threading: blocks the calling thread.
/// Errors:    the service's answer, with every field it refused.
[[nodiscard]] base::Expected<std::string> send(const SendOptions& options);

}  // namespace notify::edges
