#pragma once
// What the admin server says, without how it is sent.

#include <string>
#include <string_view>

#include "edges/http/version.hpp"
#include "telemetry/health.hpp"
#include "telemetry/instruments.hpp"

namespace notify::edges::http {

/// Lifetime: both outlive the server.
struct AdminSources {
  telemetry::MetricRegistry& metrics;
  const telemetry::Health& health;
};

struct Page {
  unsigned status = 200;
  std::string_view content_type = "application/json";
  std::string body;
};

/// The page at `target` (a query is passed over); 404 if there is none. Threading: any.
[[nodiscard]] Page admin_page(std::string_view target, const AdminSources& sources);

/// A JSON page with `error` in it.
[[nodiscard]] Page error_page(unsigned status, std::string_view error);

}  // namespace notify::edges::http
