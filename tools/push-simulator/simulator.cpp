#include "push-simulator/simulator.hpp"

#include <fmt/format.h>

#include "push-simulator/report.hpp"

namespace notify::simulator {
namespace {

constexpr std::chrono::milliseconds kFlushEvery{200};
constexpr std::uint32_t kStreamsBeforeAToken = 1;  // of a connection to APNs (Apple)

std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

}  // namespace

Simulator::Simulator(boost::asio::io_context& context, const Options& options, KeyHandle key,
                     std::optional<ReceivedLog> received)
    : options_(options),
      rng_(base::system_rng()),
      timers_(context.get_executor(), clock_),
      ledger_(options.detail),
      webpush_ledger_(options.detail),
      log_(std::move(received)),
      tokens_({std::move(key), options.apns_key_id, options.apns_team_id}),
      rules_(options.apns, tokens_, registry_),
      apns_endpoint_(rules_, {faults_, ledger_, log(), clock_}, rng_),
      fcm_(timers_, registry_, {faults_, log(), clock_, rng_}, options.fcm, options.detail),
      browsers_(subscriptions_, clock_, rng_),
      webpush_rules_(subscriptions_, registry_, options.webpush_decrypt_every),
      webpush_endpoint_(webpush_rules_, subscriptions_, browsers_,
                        {faults_, webpush_ledger_, log(), clock_}, rng_),
      control_api_(
          {registry_,
           faults_,
           ledger_,
           auth_stats_,
           user_calls_,
           unknown_users_,
           log(),
           clock_,
           options.apns.topics.empty() ? std::string() : options.apns.topics.front(),
           {{FcmEndpoint::kName, fcm_.ledger()}, {WebPushEndpoint::kName, webpush_ledger_}},
           &subscriptions_,
           &browsers_}),
      user_({unknown_users_, faults_, user_calls_}),
      auth_({registry_, faults_, auth_stats_, clock_, &user_}),
      apns_(timers_, apns_endpoint_,
            {options.apns_listen, options.apns_max_streams, kStreamsBeforeAToken}),
      webpush_(timers_, webpush_endpoint_, {options.webpush_listen}),
      expired_(timers_, webpush_endpoint_, {options.expired_listen}),
      browser_server_(timers_, browsers_),
      control_(timers_, control_api_),
      tasks_(context.get_executor(), report_escape) {}

base::Expected<Ports> Simulator::start(const ServerIdentity& identity) {
  Ports ports;
  const auto apns = apns_.start(identity);
  if (!apns) return base::fail(apns.error());
  ports.apns = *apns;
  const auto fcm = fcm_.start(identity, options_.state_dir);
  if (!fcm) return base::fail(fcm.error());
  ports.fcm = *fcm;
  const auto webpush = webpush_.start(identity);
  if (!webpush) return base::fail(webpush.error());
  ports.webpush = *webpush;
  subscriptions_.set_origin(fmt::format("https://localhost:{}", *webpush));
  ServerIdentity expired_identity = identity;
  expired_identity.certificate_pem = identity.expired_pem;
  const auto expired = expired_.start(expired_identity);
  if (!expired) return base::fail(expired.error());
  ports.expired = *expired;
  const auto browser = browser_server_.start(options_.browser_listen);
  if (!browser) return base::fail(browser.error());
  ports.browser = *browser;
  const auto auth = auth_.start(text_of(options_.auth_listen));
  if (!auth) return base::fail(auth.error());
  ports.auth = *auth;
  const auto control = control_.start(options_.control_listen);
  if (!control) return base::fail(control.error());
  ports.control = *control;
  tasks_.spawn(flush_loop(*this));
  return ports;
}

async::Task<void> Simulator::stop() {
  co_await control_.stop();
  co_await apns_.stop();
  co_await fcm_.stop();
  co_await webpush_.stop();
  co_await expired_.stop();
  co_await browser_server_.stop();
  co_await tasks_.stop();
  auth_.stop();
  if (log_) log_->flush();
}

async::Task<void> Simulator::flush_loop(Simulator& simulator) {
  for (;;) {
    co_await simulator.timers_.sleep_for(kFlushEvery);
    if (simulator.log_) simulator.log_->flush();
  }
}

}  // namespace notify::simulator
