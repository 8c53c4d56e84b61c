#pragma once
// Templates of titles and bodies: the table notification_templates. What its JSON means is
// rules/template.hpp's; here it is kept, with a revision for each change.

#include <cstdint>
#include <string>
#include <vector>

#include "base/async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "stores/audit.hpp"

namespace notify::stores {

struct TemplateRow {
  std::string name;
  std::string type;  ///< of the notifications that are made of it
  std::string data;  ///< JSON
  bool active = true;
  std::int32_t revision = 0;  ///< 1 at first, and one more with each change: the etag
  base::WallTime created_at;
  base::WallTime updated_at;
};

struct TemplatePage {
  std::string after;  ///< the last name of the page before; empty: the first page
  std::int32_t limit = 20;
  std::string type;  ///< only of this type; empty: of all
  bool with_inactive = false;
};

/// Every change is one transaction with its entry in the audit, whose detail is given the revision
/// that the change made.
/// Threading: one executor.
/// Errors:    unavailable: nothing was done. timed_out: it may have been done: read again.
class Templates {
 public:
  virtual ~Templates() = default;

  /// Errors: not_found. An inactive template is found.
  [[nodiscard]] virtual async::Task<base::Expected<TemplateRow>> find(std::string name,
                                                                      base::Deadline deadline) = 0;
  /// By name.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<TemplateRow>>> list(
      TemplatePage page, base::Deadline deadline) = 0;

  /// Of `row`, what the store makes itself does not matter: revision and times. Returns what is
  /// stored now. Errors: already_exists.
  [[nodiscard]] virtual async::Task<base::Expected<TemplateRow>> create(
      TemplateRow row, AuditEntry entry, base::Deadline deadline) = 0;
  /// Type, data and whether it is active become those of `row`, provided that it still has the
  /// revision of `row`. A template is switched off by this, and never deleted: notifications refer
  /// to it. Errors: not_found; conflict: it has another revision.
  [[nodiscard]] virtual async::Task<base::Expected<TemplateRow>> update(
      TemplateRow row, AuditEntry entry, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
