// What a push service answers: any status, body and Retry-After.

#include "fuzz/input.hpp"
#include "rules/apns_answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace notify::rules;
  notify::fuzz::Input input(data, size);
  const int status = input.byte() * 4;
  const std::string_view retry_after = input.take(input.byte() % 32);
  const ApnsAnswer answer = parse_apns_answer(status, input.rest(), retry_after, {});
  const Outcome outcome = apns_outcome(answer, {});
  notify::fuzz::require(status == 200 || outcome.kind != OutcomeKind::accepted,
                        "only 200 is an acceptance");
  notify::fuzz::require(!name(outcome.kind).empty(), "an outcome has a name");
  return 0;
}
