#pragma once
// What PostgreSQL itself costs: the ledger's own statements, on rows like those of a run, in a
// loop over libpq with two batches in the pipeline and nothing else around it.

#include <string>

#include "base/clock.hpp"
#include "load_generator/options.hpp"

namespace notify::bench {

/// The ids follow from `options`, so that phase record finds the rows of phase append.
/// Errors: throws std::runtime_error with PostgreSQL's message.
/// Returns a JSON object: rows, seconds, cpu_seconds (of this process).
[[nodiscard]] std::string write_ledger(const LedgerOptions& options, const base::Clock& clock);

}  // namespace notify::bench
