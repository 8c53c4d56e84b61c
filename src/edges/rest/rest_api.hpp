#pragma once
// What the REST edge answers, without sockets: finds the route, lets the user in, makes the
// request, calls the method in this process, and makes the answer. In two steps, so that a body is
// only read for somebody who may send it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/async/task.hpp"
#include "edges/rest/authenticator.hpp"
#include "edges/rest/reply.hpp"
#include "edges/rest/routes.hpp"
#include "edges/rest/transcode.hpp"

namespace notify::edges::rest {

/// What is known of a request before its body. Empty: the header is not there.
struct Head {
  std::string_view method;
  std::string_view target;
  std::string_view authorization;
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view if_match;
  std::string_view origin;
  std::string_view requested_method;  ///< Access-Control-Request-Method
  std::string_view forwarded_for;     ///< X-Forwarded-For, all of its lines joined by commas
  std::string_view peer;              ///< the address at the other end, without its port
  bool has_body = false;
};

/// A request that may be made once its body is there.
struct Admitted {
  const Route* route;
  RequestParts parts;
  Headers headers;  ///< of its answer, whatever that is
};

/// Who asks, where `proxies` in front of this service each append whom they have it from to
/// X-Forwarded-For. What is left of theirs in it can be made up, and is not looked at.
[[nodiscard]] std::string_view client_address(const Head& head, std::size_t proxies);

/// Threading: the worker's executor.
/// Lifetime:  the methods and what `authenticator` refers to outlive this.
class RestApi {
 public:
  struct Options {
    std::vector<std::string> cors_origins;  ///< exactly as browsers send them; others get no CORS
    std::string openapi;                    ///< the document served at /openapi.json
    /// Called when an answer was withheld since it named another user: a bug of a handler.
    std::function<void(std::string_view method)> on_withheld;
    flows::RequestLimiting* limits = nullptr;  ///< without it, nobody is limited
    std::size_t proxies = 0;                   ///< as of client_address()
  };

  RestApi(RouteTable routes, Authenticator authenticator, Options options)
      : routes_(std::move(routes)),
        authenticator_(std::move(authenticator)),
        options_(std::move(options)) {}

  using Admission = std::variant<Reply, Admitted>;
  /// A Reply for what needs no body, or is refused. Lifetime: `head` outlives the call.
  [[nodiscard]] async::Task<Admission> admit(const Head& head, base::Deadline deadline);

  /// Calls the method. Lifetime: `admitted` outlives the call.
  [[nodiscard]] async::Task<Reply> call(const Admitted& admitted, base::Deadline deadline) const;

  /// What every answer to a page of another origin needs for the page to see it; nothing for
  /// origins that are not configured. Source: https://fetch.spec.whatwg.org/#http-cors-protocol
  void add_cors(std::string_view origin, Reply& reply) const;

 private:
  [[nodiscard]] Reply options_reply(const Resource& resource, const Head& head) const;
  [[nodiscard]] async::Task<Reply> answer(const Admitted& admitted, base::Deadline deadline) const;
  [[nodiscard]] bool is_allowed_origin(std::string_view origin) const;

  RouteTable routes_;
  Authenticator authenticator_;
  Options options_;
};

}  // namespace notify::edges::rest
