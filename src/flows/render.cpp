#include "flows/render.hpp"

#include <utility>

namespace notify::flows {
namespace {

using base::Errc;
using base::Expected;
using base::Unexpected;
using rules::RenderResult;
using Found = Expected<stores::TemplateCache::Ready>;

Unexpected<rules::Violations> wrong(rules::Violations violations) {
  return Unexpected<rules::Violations>(std::move(violations));
}

Expected<RenderResult> fill_in(const rules::TemplateUse& use, const Found& found) {
  if (!found && found.error().code != Errc::not_found) {
    // A question that took too long stored nothing: the caller may simply come back.
    const bool late = found.error().code == Errc::timed_out;
    return base::fail(late ? Errc::unavailable : found.error().code, found.error().detail);
  }
  if (!found || !(*found)->active) {
    return RenderResult(wrong({{"template.name", found ? "names a template that is deactivated"
                                                       : "names no template that there is"}}));
  }
  const stores::ReadyTemplate& ready = **found;
  auto text = ready.text.render(use.locale, use.variables);
  if (!text) return RenderResult(wrong(rules::missing_variables(text.error(), "template.")));
  rules::TemplateUsed used{ready.name, ready.revision, text->locale};
  return RenderResult(rules::Rendering{std::move(*text), ready.type, std::move(used)});
}

}  // namespace

async::Task<Render::Results> Render::render(const std::vector<rules::SendRequest>& requests) {
  Results results;
  std::map<std::string, Found, std::less<>> looked_up;
  const base::Deadline deadline = timers_.after(look_up_timeout_);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!requests[i].template_use) continue;
    const rules::TemplateUse& use = *requests[i].template_use;
    rules::Violations violations = rules::check_template_use(use, "template.");
    if (!violations.empty()) {
      results.emplace(i, RenderResult(wrong(std::move(violations))));
      continue;
    }
    auto found = looked_up.find(use.name);
    if (found == looked_up.end()) {
      std::string name(use.name);
      auto answer = co_await templates_.find(name, deadline);
      found = looked_up.emplace(std::move(name), std::move(answer)).first;
    }
    results.emplace(i, fill_in(use, found->second));
  }
  co_return results;
}

}  // namespace notify::flows
