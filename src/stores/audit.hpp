#pragma once
// Who did what: the table audit_log.

#include <string>

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "base/uuid.hpp"

namespace notify::stores {

struct AuditEntry {
  base::Uuid id;             ///< UUIDv7; its instant is when
  std::string actor;         ///< at most 255 characters
  std::string action;        ///< at most 100
  std::string subject_type;  ///< at most 50
  std::string subject_id;    ///< at most 255
  std::string detail;        ///< a JSON object; never a token, a title or a body
};

/// Threading: one executor.
class Audit {
 public:
  virtual ~Audit() = default;

  /// Commits an entry; the same one again changes nothing.
  [[nodiscard]] virtual async::Task<base::Expected<void>> append(AuditEntry entry,
                                                                 base::Deadline deadline) = 0;
};

}  // namespace notify::stores
