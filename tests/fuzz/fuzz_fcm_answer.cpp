// The answers of FCM and of Google's token server: any status, body and Retry-After.

#include "fuzz/input.hpp"
#include "providers/fcm/access_grants.hpp"
#include "rules/fcm_answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace notify;
  fuzz::Input input(data, size);
  const int status = input.byte() * 4;
  const std::string_view retry_after = input.take(input.byte() % 48);
  const std::string_view body = input.rest();
  const rules::FcmAnswer answer = rules::parse_fcm_answer(status, body, retry_after, {});
  const rules::Outcome outcome = rules::fcm_outcome(answer);
  fuzz::require(status == 200 || outcome.kind != rules::OutcomeKind::accepted,
                "only 200 is an acceptance");
  fuzz::require(outcome.code.size() <= 50, "a code fits its column");
  const auto grant = providers::parse_access_grant(status, body);
  fuzz::require(!grant || status == 200, "only 200 grants access");
  return 0;
}
