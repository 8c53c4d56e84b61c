#pragma once
// What people do to templates: create, change, switch off, preview. A template is checked before it
// is stored, so that what is stored can be sent.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/uuid.hpp"
#include "flows/refusal.hpp"
#include "rules/template.hpp"
#include "stores/templates.hpp"

namespace notify::flows {

/// A new template, or what becomes different in an old one; what is unset stays, or is empty.
struct TemplateChange {
  std::string name;
  std::int32_t revision = 0;  ///< the one that the caller has read; 0: whichever it is
  std::optional<std::string> type;
  std::optional<std::string> title;
  std::optional<std::string> body;
  std::optional<std::string> sound;
  std::optional<std::string> category;
  std::optional<std::map<std::string, rules::TemplateText>> locales;  ///< all of them
  std::optional<bool> active;
};

/// Who changes it, for the audit.
struct TemplateActor {
  std::string name;    ///< 1 to 255 bytes
  std::string origin;  ///< the host it comes from
};

struct TemplatePreview {
  rules::RenderedText text;
  std::int32_t revision = 0;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it.
/// Errors:    invalid with violations, whose fields begin with "template."; not_found;
///            already_exists; conflict; unavailable (nothing was done); timed_out (it may have been
///            done: read it again).
class TemplateAdmin {
 public:
  struct Parts {
    stores::Templates& templates;
    base::UuidV7Generator& ids;
    std::function<void()> changed;  ///< a template is not what it was
  };

  explicit TemplateAdmin(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] async::Task<Answer<stores::TemplateRow>> create(TemplateChange change,
                                                                TemplateActor actor,
                                                                base::Deadline deadline);
  /// A change that changes nothing is none. What the stored JSON holds besides stays.
  [[nodiscard]] async::Task<Answer<stores::TemplateRow>> update(TemplateChange change,
                                                                TemplateActor actor,
                                                                base::Deadline deadline);

  [[nodiscard]] async::Task<Answer<stores::TemplateRow>> get(std::string name,
                                                             base::Deadline deadline);

  /// Of a stored template; the fields of its violations are those of the use.
  [[nodiscard]] async::Task<Answer<TemplatePreview>> preview(rules::TemplateUse use,
                                                             base::Deadline deadline);
  /// Of one that is not stored.
  [[nodiscard]] static Answer<TemplatePreview> preview(const TemplateChange& change,
                                                       const rules::TemplateUse& use);

 private:
  [[nodiscard]] async::Task<Answer<stores::TemplateRow>> update_once(const TemplateChange& change,
                                                                     const TemplateActor& actor,
                                                                     base::Deadline deadline);
  [[nodiscard]] stores::AuditEntry entry(std::string action, const TemplateChange& change,
                                         const TemplateActor& actor);

  Parts parts_;
};

}  // namespace notify::flows
