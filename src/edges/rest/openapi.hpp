#pragma once
// The description of the REST API for people and tools: OpenAPI 3.0.3, made of the routes and the
// descriptors behind them, so that it cannot say anything else than what is served.
// Source: https://spec.openapis.org/oas/v3.0.3

#include <string>
#include <string_view>

#include "edges/rest/routes.hpp"

namespace notify::edges::rest {

/// JSON. `version` is the program's.
[[nodiscard]] std::string openapi_document(const RouteTable& routes, std::string_view version);

}  // namespace notify::edges::rest
