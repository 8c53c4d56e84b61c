#include "stores/template_cache.hpp"

#include <optional>
#include <utility>

namespace notify::stores {

using base::Errc;
using base::Expected;
using base::fail;

/// One question to the origin, and all who wait for its answer.
struct TemplateCache::Flight {
  explicit Flight(async::Executor executor) : landed(std::move(executor)) {}
  async::Condition landed;
  std::optional<Answer> answer;
};

async::Task<TemplateCache::Answer> TemplateCache::find(std::string name, base::Deadline deadline) {
  if (const Answer* answer = known(name)) co_return *answer;
  const auto found = flights_.find(name);
  if (found == flights_.end()) co_return co_await ask(std::move(name), deadline);
  const std::shared_ptr<Flight> flight = found->second;
  co_await flight->landed.wait([f = flight.get()] { return f->answer.has_value(); });
  co_return *flight->answer;
}

void TemplateCache::invalidate() {
  entries_.clear();
  by_name_.clear();
  // Who waits already gets what was true when he asked; who asks from now on asks anew.
  flights_.clear();
}

async::Task<TemplateCache::Answer> TemplateCache::ask(std::string name, base::Deadline deadline) {
  const auto flight = std::make_shared<Flight>(timers_.executor());
  flights_[name] = flight;
  const base::SteadyTime asked = timers_.clock().steady_now();
  const auto land = [this, &name, &flight](Answer answer) {
    const auto found = flights_.find(name);
    const bool is_current = found != flights_.end() && found->second == flight;
    if (is_current) flights_.erase(found);
    flight->answer = std::move(answer);
    flight->landed.notify();
    return is_current;
  };
  bool is_current = false;
  try {
    is_current = land(make_ready(co_await origin_.find(name, deadline)));
  } catch (...) {
    land(fail(Errc::cancelled, "the question was cancelled"));
    throw;
  }
  if (is_current) remember(name, *flight->answer, asked);
  co_return *flight->answer;
}

TemplateCache::Answer TemplateCache::make_ready(Expected<TemplateRow> row) {
  if (!row) return fail(std::move(row).error());
  auto data = rules::decode_template(row->data);
  if (!data) return fail(Errc::corrupt, "the template " + row->name + " is stored malformed");
  auto text = rules::Template::compile(std::move(*data));
  if (!text) {
    const rules::Violation& first = text.error().front();
    return fail(Errc::corrupt, "the template " + row->name + " is stored with mistakes: " +
                                   first.field + " " + first.description);
  }
  return std::make_shared<const ReadyTemplate>(ReadyTemplate{
      std::move(row->name), std::move(row->type), row->active, row->revision, std::move(*text)});
}

const TemplateCache::Answer* TemplateCache::known(const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  if (found->second->until <= timers_.clock().steady_now()) {
    forget(name);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->answer;
}

/// From when it was asked for, not from when the answer came: that is how old it may be.
void TemplateCache::remember(const std::string& name, const Answer& answer,
                             base::SteadyTime asked) {
  forget(name);
  const bool lasting =
      answer || answer.error().code == Errc::not_found || answer.error().code == Errc::corrupt;
  if (!lasting) return;
  entries_.push_front({name, answer, asked + options_.ttl});
  by_name_[name] = entries_.begin();
  if (entries_.size() > options_.templates_max) forget(std::string(entries_.back().name));
}

void TemplateCache::forget(const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  entries_.erase(found->second);
  by_name_.erase(found);
}

}  // namespace notify::stores
