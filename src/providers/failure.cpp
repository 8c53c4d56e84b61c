#include "providers/failure.hpp"

namespace notify::providers {

rules::Outcome outcome_of(const http2::Failure& failure, std::string_view provider) {
  using rules::OutcomeKind;
  const bool not_processed = failure.processed == http2::Processed::no;
  rules::Outcome outcome;
  outcome.kind = not_processed ? OutcomeKind::not_processed : OutcomeKind::unknown;
  if (failure.error.code == base::Errc::invalid) outcome.kind = OutcomeKind::rejected;
  outcome.code = base::name(failure.error.code);
  outcome.message = std::string(provider) +
                    (not_processed ? " did not get it: " : " may have got it: ") +
                    failure.error.detail;
  return outcome;
}

}  // namespace notify::providers
