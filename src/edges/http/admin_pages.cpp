#include "edges/http/admin_pages.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace notify::edges::http {
namespace {

using Json = nlohmann::ordered_json;

// A detail may quote what a peer said; a byte that is no UTF-8 must not take /readyz down.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Page readyz(const telemetry::Health& health) {
  const telemetry::HealthReport report = health.report();
  Json checks = Json::array();
  for (const telemetry::HealthCheck& check : report.checks) {
    checks.push_back({{"name", check.name},
                      {"state", telemetry::name(check.state)},
                      {"critical", check.importance == telemetry::Importance::critical},
                      {"since", base::to_rfc3339(check.since)},
                      {"detail", check.detail}});
  }
  const Json json = {
      {"ready", report.ready}, {"draining", report.draining}, {"checks", std::move(checks)}};
  return {.status = report.ready ? 200U : 503U, .body = dump(json)};
}

Page version_page() {
  const Version version = this_build();
  return {.body = dump({{"version", version.version},
                        {"revision", version.revision},
                        {"build_type", version.build_type},
                        {"compiler", version.compiler}})};
}

}  // namespace

Page admin_page(std::string_view target, const AdminSources& sources) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/metrics") {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = sources.metrics.render()};
  }
  if (path == "/healthz") return {.body = dump({{"status", "alive"}})};
  if (path == "/readyz") return readyz(sources.health);
  if (path == "/version") return version_page();
  return error_page(404, "there is no such page; try /metrics, /healthz, /readyz or /version");
}

Page error_page(unsigned status, std::string_view error) {
  return {.status = status, .body = dump({{"error", error}})};
}

}  // namespace notify::edges::http
