#pragma once
// The texts of requests that name a template: looked up, filled in, or refused with what is
// missing. accept asks for them before it validates; a request with texts of its own never comes
// here.

#include <chrono>
#include <map>
#include <vector>

#include "rules/validation.hpp"
#include "stores/template_cache.hpp"

namespace notify::flows {

/// Threading: one executor.
/// Lifetime:  all it is given outlives it.
class Render {
 public:
  /// By place among the requests: what the template made of it, or why it could not be looked up.
  using Results = std::map<std::size_t, base::Expected<rules::RenderResult>>;

  Render(stores::TemplateCache& templates, async::Timers& timers,
         std::chrono::milliseconds look_up_timeout = std::chrono::seconds(5))
      : templates_(templates), timers_(timers), look_up_timeout_(look_up_timeout) {}

  /// A result for each request that names a template; each name is looked up once.
  /// Lifetime: `requests` and what they refer to outlive the call.
  /// Errors:   unavailable, timed_out; corrupt: what is stored is no template.
  [[nodiscard]] async::Task<Results> render(const std::vector<rules::SendRequest>& requests);

 private:
  stores::TemplateCache& templates_;
  async::Timers& timers_;
  std::chrono::milliseconds look_up_timeout_;
};

}  // namespace notify::flows
