#pragma once
// Templates ready for use, so that sending by template costs neither a question to the database nor
// parsing. One for each worker, in front of the store.
//
// A change is noticed when `invalidate()` is called, which who hears of changes does, and after
// `ttl` at the latest. That there is no such template is remembered too: else a caller with a wrong
// name would cost a question for each call.

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/async/condition.hpp"
#include "base/async/timers.hpp"
#include "rules/template.hpp"
#include "stores/templates.hpp"

namespace notify::stores {

/// A template as of one revision; shared, and never changed.
struct ReadyTemplate {
  std::string name;
  std::string type;
  bool active = true;
  std::int32_t revision = 0;
  rules::Template text;
};

/// Threading: one executor.
/// Lifetime:  `origin` and `timers` outlive this, and this its callers.
/// Errors:    the origin's; corrupt if what is stored is no template. Callers who ask for one name
///            at once share one answer, also an error; only not_found and corrupt are remembered.
/// Limits:    `templates_max`; whichever was asked for longest ago is forgotten first.
class TemplateCache {
 public:
  using Ready = std::shared_ptr<const ReadyTemplate>;
  struct Options {
    /// While nobody tells of changes, this is how long a node goes by an old one.
    std::chrono::milliseconds ttl{1000};
    std::size_t templates_max = 1000;
  };

  TemplateCache(Templates& origin, async::Timers& timers, Options options)
      : origin_(origin), timers_(timers), options_(options) {}

  [[nodiscard]] async::Task<base::Expected<Ready>> find(std::string name, base::Deadline deadline);

  /// Forgets all, and what is on its way here too.
  void invalidate();

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Answer = base::Expected<Ready>;
  struct Entry {
    std::string name;
    Answer answer;
    base::SteadyTime until;
  };
  struct Flight;
  using Entries = std::list<Entry>;  // the most recently asked for first

  [[nodiscard]] const Answer* known(const std::string& name);
  [[nodiscard]] static Answer make_ready(base::Expected<TemplateRow> row);
  void remember(const std::string& name, const Answer& answer, base::SteadyTime asked);
  void forget(const std::string& name);
  async::Task<Answer> ask(std::string name, base::Deadline deadline);

  Templates& origin_;
  async::Timers& timers_;
  Options options_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> by_name_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace notify::stores
