#pragma once
// One statement and its parameters.

#include <string>
#include <string_view>

#include "storage/pg/params.hpp"

namespace notify::pg {

/// SQL as a named constant, prepared once on every connection that runs it.
/// Lifetime: both texts have static storage.
/// Limits:   one name means one text, in the whole program.
struct Statement {
  std::string_view name;
  std::string_view sql;
};

struct Query {
  Statement statement;
  Params params;
  /// SQL that is made at run time, in the place of `statement`: not prepared, without parameters.
  /// For statements that name a table, as ALTER TABLE does.
  std::string made_sql;

  [[nodiscard]] bool is_prepared() const { return made_sql.empty(); }
};

}  // namespace notify::pg
