#include "storage/pg/error.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace notify::pg {

namespace {

using base::Errc;

struct Kind {
  Fault fault;
  Errc code;
};

Kind kind_of_integrity(const Diagnosis& diagnosis) {
  if (diagnosis.sqlstate == "23505" || diagnosis.sqlstate == "23P01") {
    return {Fault::duplicate, Errc::conflict};
  }
  // A CHECK names its constraint; a row without a partition has none. The message would say so
  // too, but it is translated.
  if (diagnosis.sqlstate == "23514" && diagnosis.constraint.empty()) {
    return {Fault::no_partition, Errc::invalid};
  }
  return {Fault::bad_data, Errc::invalid};
}

Kind kind_of(const Diagnosis& diagnosis) {
  const std::string_view state = diagnosis.sqlstate;
  const std::string_view family = state.substr(0, 2);
  if (family == "22") return {Fault::bad_data, Errc::invalid};
  if (family == "23") return kind_of_integrity(diagnosis);
  if (family == "40" || state == "55P03") return {Fault::contention, Errc::unavailable};
  if (state == "0A000" || state == "26000") return {Fault::stale_statement, Errc::unavailable};
  if (state == "57014") return {Fault::server, Errc::timed_out};
  if (family == "53" && state != "53100") return {Fault::server, Errc::overloaded};
  if (family == "53" || family == "57" || family == "58" || state == "25006") {
    return {Fault::server, Errc::unavailable};
  }
  if (family == "08") return {Fault::connection, Errc::unavailable};
  if (family == "28") return {Fault::server, Errc::unauthenticated};
  if (state == "42501") return {Fault::programming, Errc::permission_denied};
  if (state == "XX001" || state == "XX002") return {Fault::server, Errc::corrupt};
  return {Fault::programming, Errc::internal};
}

/// Classes whose primary message is made of fixed text and names of schema objects only.
bool message_is_free_of_values(std::string_view sqlstate) {
  constexpr std::array<std::string_view, 12> kFamilies{"08", "21", "23", "25", "26", "28",
                                                       "40", "42", "53", "54", "55", "57"};
  return std::ranges::find(kFamilies, sqlstate.substr(0, 2)) != kFamilies.end();
}

}  // namespace

base::Unexpected<QueryError> fail(Fault fault, base::Errc code, std::string detail,
                                  bool outcome_unknown) {
  QueryError error;
  error.error = base::Error{code, std::move(detail)};
  error.fault = fault;
  error.outcome_unknown = outcome_unknown;
  return base::Unexpected<QueryError>(std::move(error));
}

QueryError classify(const Diagnosis& diagnosis) {
  const Kind kind = kind_of(diagnosis);
  std::string detail = "PostgreSQL ";
  detail.append(diagnosis.sqlstate.empty() ? "error" : diagnosis.sqlstate);
  if (message_is_free_of_values(diagnosis.sqlstate) && !diagnosis.message.empty()) {
    detail.append(": ").append(diagnosis.message);
  } else {
    if (!diagnosis.table.empty()) detail.append(", table ").append(diagnosis.table);
    if (!diagnosis.constraint.empty()) {
      detail.append(", constraint ").append(diagnosis.constraint);
    }
  }
  QueryError error;
  error.error = base::Error{kind.code, std::move(detail)};
  error.fault = kind.fault;
  error.sqlstate = diagnosis.sqlstate;
  error.table = diagnosis.table;
  error.constraint = diagnosis.constraint;
  return error;
}

bool session_is_stale(std::string_view sqlstate) {
  return sqlstate == "25006" || sqlstate == "0A000" || sqlstate == "26000";
}

}  // namespace notify::pg
