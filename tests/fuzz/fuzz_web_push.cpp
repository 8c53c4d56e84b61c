// Untrusted input of Web Push: a subscription by a user, an answer by a push service.

#include "fuzz/input.hpp"
#include "rules/web_push_answer.hpp"
#include "rules/web_push_subscription.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace notify::rules;
  using notify::fuzz::require;
  notify::fuzz::Input input(data, size);
  const int status = input.byte() * 4;
  const std::string_view retry_after = input.take(input.byte() % 32);
  const std::string_view rest = input.rest();
  const Outcome outcome =
      web_push_outcome({.status = status, .body = rest, .retry_after = retry_after}, {});
  require(outcome.code.size() <= 50, "a code has room in its column");
  require(status / 100 == 2 || outcome.kind != OutcomeKind::accepted, "only 2xx is an acceptance");

  const auto subscription = parse_subscription(notify::base::Secret(std::string(rest)));
  if (!subscription) return 0;
  require(subscription->origin.starts_with("https://"), "only https is asked");
  require(subscription->path.starts_with('/'), "a path is absolute");
  require(subscription->path.find_first_of(" \r\n\t") == std::string::npos, "a path is one word");
  static const WebPushHosts kHosts({{"push.example", "*.push.example"}, {}});
  if (kHosts.flaw_of(*subscription)) return 0;
  require(subscription->port == 443, "no other port is allowed");
  require(subscription->host == "push.example" || subscription->host.ends_with(".push.example"),
          "no other host is allowed");
  return 0;
}
