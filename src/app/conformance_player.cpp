#include "app/conformance_player.hpp"

#include <optional>

#include "app/make_providers.hpp"
#include "base/hex.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "net/http2/origin.hpp"

namespace notify::app {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using rules::ConformanceCase;
using rules::Consequence;
using rules::Doubt;
using rules::Outcome;
using rules::OutcomeKind;
using rules::Stage;
namespace asio = boost::asio;

constexpr std::chrono::milliseconds kPatience{10'000};
/// For servers that are not there: attempts to connect are repeated until then.
constexpr std::chrono::milliseconds kPatienceWithNone{3'000};
/// The right answer: a server judges the request as it judges every other.
constexpr std::string_view kNoFault = R"("delay_ms":1)";
constexpr std::string_view kUnknownHost = "https://name.invalid";
/// A browser's keys, of RFC 8291 §5: nobody reads the messages.
constexpr std::string_view kBrowserPoint =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr std::string_view kBrowserSecret = "BTBZMqHH6r4Tts7J_aSIgg";

/// Only `service` is configured, and asks `origin`.
Expected<config::Config> config_for(const config::Config& all, std::string_view service,
                                    const std::string& origin) {
  const auto parsed = http2::parse_origin(origin);
  if (!parsed || parsed->scheme != "https") {
    return fail(Errc::invalid, "\"" + origin + "\" is no server: write https://host:port");
  }
  config::Config one = all;
  one.apns = config::Apns();
  one.fcm = config::Fcm();
  one.webpush = config::WebPush();
  if (service == "apns") {
    one.apns = all.apns;
    one.apns.endpoint = config::Url(origin);
  } else if (service == "fcm") {
    one.fcm = all.fcm;
    one.fcm.endpoint = config::Url(origin);
  } else {
    one.webpush = all.webpush;
    one.webpush.allowed_hosts = {parsed->authority};
    one.webpush.private_hosts = {parsed->endpoint.host};
  }
  return one;
}

rules::Notification sample(base::NotificationId id, base::WallTime now) {
  rules::Notification notification;
  notification.id = id;
  notification.type = "message";
  notification.title = "Conformance";
  notification.body = "A test of what this service makes of faults.";
  notification.expires_at = now + std::chrono::hours(1);
  return notification;
}

std::string count_text(std::uint64_t requests) {
  return std::to_string(requests) + (requests == 1 ? " request" : " requests");
}

std::string done_text(const Outcome& outcome, std::uint64_t requests) {
  std::string text(rules::name(outcome.kind));
  if (!outcome.code.empty()) text += " (" + outcome.code + ")";
  if (outcome.retry_after) {
    text += ", again after " + std::to_string(outcome.retry_after->count()) + " s";
  }
  text += outcome.kind == OutcomeKind::token_gone ? ", token dropped" : ", token kept";
  return text + ", " + count_text(requests);
}

/// Empty if the outcome is the one that the case expects.
std::string mismatch_of(const ConformanceCase& one, const Outcome& outcome) {
  if (outcome.kind != one.kind) return "expected " + std::string(rules::name(one.kind));
  if (outcome.retry_after != one.retry_after) {
    return one.retry_after
               ? "expected again after " + std::to_string(one.retry_after->count()) + " s"
               : "expected no time of the next try";
  }
  if (one.invalid_since && outcome.invalid_since != one.invalid_since) {
    return "expected the push service's time with the dropped token";
  }
  if (one.row == nullptr || one.kind == OutcomeKind::accepted) return "";
  if (!outcome.message.starts_with(one.row->message)) {
    return "expected \"" + std::string(one.row->message) + "\", found \"" + outcome.message + "\"";
  }
  if (outcome.retry_min != one.row->retry_min) {
    return "expected a wait of " + std::to_string(one.row->retry_min.count()) + " s at least";
  }
  return "";
}

std::string mismatch_of(const ConformanceCase& one, const http2::PoolCounters& before,
                        const http2::PoolCounters& after) {
  if (after.requests - before.requests != one.requests) {
    return "expected " + count_text(one.requests);
  }
  if (one.leads_to == Consequence::reconnect &&
      after.connections_opened == before.connections_opened) {
    return "expected another connection";
  }
  return "";
}

}  // namespace

ConformancePlayer::ConformancePlayer(const config::Config& config,
                                     const rules::PushService& service, async::Timers& timers,
                                     base::Rng& rng)
    : config_(config),
      service_(service),
      timers_(timers),
      rng_(rng),
      ids_(timers.clock(), rng),
      closed_(timers.executor()) {}

Expected<std::unique_ptr<ConformancePlayer>> ConformancePlayer::create(
    const config::Config& config, const rules::PushService& service,
    const ConformanceTargets& targets, async::Timers& timers, base::Rng& rng) {
  std::unique_ptr<ConformancePlayer> player(new ConformancePlayer(config, service, timers, rng));
  // A port that is bound, and not listened on, refuses.
  player->closed_.open(asio::ip::tcp::v4());
  player->closed_.bind({asio::ip::address_v4::loopback(), 0});
  const std::string refusing =
      "https://localhost:" + std::to_string(player->closed_.local_endpoint().port());
  std::map<Stage, std::string> origins = {
      {Stage::target, targets.by_service.at(std::string(service.name))},
      {Stage::closed_port, refusing},
      {Stage::unknown_host, std::string(kUnknownHost)}};
  if (!targets.expired.empty()) origins[Stage::expired_certificate] = targets.expired;
  for (const auto& [stage, origin] : origins) {
    if (auto added = player->add(stage, origin); !added) return fail(added.error());
  }
  return player;
}

Expected<void> ConformancePlayer::add(Stage stage, const std::string& origin) {
  auto config = config_for(config_, service_.name, origin);
  if (!config) return fail(config.error());
  auto made = make_providers(*config, {timers_, rng_, {}});
  if (!made) return fail(made.error());
  if (made->empty()) {
    return fail(Errc::invalid, std::string(service_.name) + " has no credentials: configure it");
  }
  actors_[stage] = {origin, std::move(made->front())};
  return {};
}

/// The id makes every token a new one: a server counts by token how often it has played a script.
rules::Device ConformancePlayer::device(const Actor& actor, std::string script, Doubt doubt) {
  const std::string id = ids_.next().to_string();
  script = "{" + script + R"(,"id":")" + id + "\"}";
  rules::Device device;
  device.id = base::DeviceId(ids_.next());
  device.app_id = doubt == Doubt::no_app ? "" : config_.apns.topic;
  if (doubt == Doubt::registered_since) device.registered_at = timers_.clock().now();
  if (service_.name == "apns") {
    device.platform = rules::Platform::ios;
    device.token = base::Secret(base::hex_encode("script:" + script));
    // The one that the provider asks in has no bearing on the answer.
    if (doubt != Doubt::no_environment) device.environment = rules::Environment::production;
    return device;
  }
  const std::string token = "script:" + base::base64url_encode(script);
  if (service_.name == "fcm") {
    device.platform = rules::Platform::android;
    device.token = base::Secret(token);
    return device;
  }
  base::JsonObject keys;
  keys.text("p256dh", kBrowserPoint).text("auth", kBrowserSecret);
  base::JsonObject subscription;
  subscription.text("endpoint", actor.origin + "/wp/" + token).object("keys", std::move(keys));
  device.platform = rules::Platform::web;
  device.token = base::Secret(std::move(subscription).finish());
  return device;
}

async::Task<Outcome> ConformancePlayer::send(Actor& actor, std::string script, Doubt doubt,
                                             std::chrono::milliseconds patience) {
  const rules::Notification notification =
      sample(base::NotificationId(ids_.next()), timers_.clock().now());
  const rules::Device to = device(actor, std::move(script), doubt);
  const rules::Style style{.sound = "default"};
  co_return co_await actor.provider->send(notification, style, to, timers_.after(patience));
}

async::Task<Expected<void>> ConformancePlayer::greet() {
  Actor& actor = actors_.at(Stage::target);
  const Outcome outcome = co_await send(actor, std::string(kNoFault), Doubt::none, kPatience);
  if (outcome.kind == OutcomeKind::accepted) co_return Expected<void>();
  co_return fail(Errc::unavailable,
                 std::string(service_.name) + " at " + actor.origin +
                     " did not accept the first push: " + outcome.code + ", " + outcome.message +
                     ". It must play scripts that are device tokens, as push-simulator does");
}

async::Task<std::string> ConformancePlayer::send_more(Actor& actor, std::size_t at_once) {
  std::vector<std::optional<Outcome>> outcomes(at_once);
  async::TaskGroup group(timers_.executor(), {});
  for (auto& outcome : outcomes) {
    group.spawn(
        async::store_result(send(actor, std::string(kNoFault), Doubt::none, kPatience), outcome));
  }
  co_await group.join();
  for (const auto& outcome : outcomes) {
    if (!outcome || outcome->kind != OutcomeKind::accepted) {
      co_return "expected that later notifications are accepted" +
          (outcome ? ", found " + outcome->code + ": " + outcome->message : std::string());
    }
  }
  co_return "";
}

async::Task<ConformanceResult> ConformancePlayer::play(ConformanceCase one) {
  ConformanceResult result;
  const auto found = actors_.find(one.stage);
  if (found == actors_.end()) {
    result.was_skipped = true;
    result.played = std::move(one);
    co_return result;
  }
  Actor& actor = found->second;
  const bool has_server = one.stage == Stage::target;
  const std::string script = one.script.empty() ? std::string(kNoFault) : one.script;
  const auto patience = one.is_short ? ConformanceCase::kShort
                        : has_server ? kPatience
                                     : kPatienceWithNone;
  const http2::PoolCounters before = actor.provider->counters();
  const Outcome outcome = co_await send(actor, script, one.doubt, patience);
  const http2::PoolCounters after = actor.provider->counters();
  result.done = done_text(outcome, after.requests - before.requests);
  result.mismatch = mismatch_of(one, outcome);
  if (result.mismatch.empty()) result.mismatch = mismatch_of(one, before, after);
  // No fault may outlast its request. That takes no other look at a plain answer.
  const bool is_upset = one.row == nullptr || rules::tries_again(one.row->leads_to);
  if (has_server && is_upset && result.mismatch.empty()) {
    result.mismatch = co_await send_more(actor, std::max<std::size_t>(one.at_once, 1));
    const bool was_refused = actor.provider->counters().refused != after.refused;
    if (result.mismatch.empty() && one.at_once > 0 && was_refused) {
      result.mismatch = "expected no stream over the limit";
    }
  }
  result.played = std::move(one);
  co_return result;
}

async::Task<void> ConformancePlayer::stop() {
  for (auto& [stage, actor] : actors_) {
    co_await actor.provider->stop(timers_.after(std::chrono::seconds(1)));
  }
}

}  // namespace notify::app
