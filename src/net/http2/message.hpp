#pragma once
// What goes to a peer and what comes back, in the words of HTTP/2 and nothing below it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace notify::http2 {

/// How HPACK (RFC 7541) may code a field: `index` puts it into the dynamic table, which pays for
/// what repeats; `never` writes a literal that no hop may index, for secrets and for what differs
/// every time.
enum class Indexing : std::uint8_t { index = 1, never };

struct Header {
  std::string name;  ///< lower case
  std::string value;
  Indexing indexing = Indexing::index;
};

/// `:path` is never indexed: for push it holds a device token.
struct Request {
  std::string method = "POST";
  std::string path;
  std::vector<Header> headers;
  std::string body;
};

struct ResponseHeader {
  std::string name;
  std::string value;
};

struct Response {
  int status = 0;
  std::vector<ResponseHeader> headers;  ///< with the trailers at the end
  std::string body;

  /// The first value of the field; empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    for (const ResponseHeader& field : headers) {
      if (field.name == name) return field.value;
    }
    return {};
  }
};

/// Whether the peer may have acted on a request that got no response.
enum class Processed : std::uint8_t {
  no = 1,   ///< certainly not: it may be sent again elsewhere at once
  unknown,  ///< it may have: sending again may repeat the effect
};

struct Failure {
  base::Error error;
  Processed processed = Processed::unknown;
};

using Result = base::Expected<Response, Failure>;

[[nodiscard]] inline base::Unexpected<Failure> failure(base::Error error, Processed processed) {
  return base::Unexpected<Failure>(Failure{std::move(error), processed});
}

}  // namespace notify::http2
