#include "app/conformance.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

namespace notify::app {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using OnResult = std::function<void(const ConformanceResult&)>;

const rules::PushService* service_named(std::string_view name) {
  const auto all = rules::push_services();
  const auto found = std::find_if(all.begin(), all.end(), [&](const rules::PushService& service) {
    return service.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

std::string service_names() {
  std::string names;
  for (const rules::PushService& service : rules::push_services()) {
    if (!names.empty()) names += ", ";
    names += service.name;
  }
  return names;
}

async::Task<Expected<void>> play_all(ConformancePlayer& player, const rules::PushService& service,
                                     const base::Clock& clock, const OnResult& on_result) {
  auto greeted = co_await player.greet();
  if (!greeted) co_return greeted;
  for (auto& one : rules::answer_cases(service, clock.now())) {
    on_result(co_await player.play(std::move(one)));
  }
  for (auto& one : rules::transport_cases(service)) {
    on_result(co_await player.play(std::move(one)));
  }
  co_return Expected<void>();
}

struct Everything {
  const config::Config& config;
  const ConformanceTargets& targets;
  const OnResult& on_result;
  async::Timers& timers;
  base::Rng& rng;
};

async::Task<void> play_each(Everything all, Expected<void>& result) {
  for (const auto& [name, origin] : all.targets.by_service) {
    const rules::PushService& service = *service_named(name);
    auto player = ConformancePlayer::create(all.config, service, all.targets, all.timers, all.rng);
    if (!player) {
      result = fail(player.error());
      co_return;
    }
    result = co_await play_all(**player, service, all.timers.clock(), all.on_result);
    co_await (*player)->stop();
    if (!result) co_return;
  }
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

Expected<ConformanceTargets> parse_targets(const std::vector<std::string>& texts) {
  ConformanceTargets targets;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == text.npos || service_named(name) == nullptr) {
      return fail(Errc::invalid, "--target " + text + ": write SERVICE=https://host:port; the " +
                                     "services are " + service_names());
    }
    if (!targets.by_service.emplace(name, text.substr(equals + 1)).second) {
      return fail(Errc::invalid, "--target " + text + ": " + name + " has a target already");
    }
  }
  return targets;
}

Expected<void> play_conformance(const config::Config& config, const ConformanceTargets& targets,
                                const OnResult& on_result) {
  boost::asio::io_context context(1);
  const base::SystemClock clock;
  async::Timers timers(context.get_executor(), clock);
  base::SeededRng rng = base::system_rng();
  Expected<void> result;
  std::exception_ptr failure;
  boost::asio::co_spawn(context, play_each({config, targets, on_result, timers, rng}, result),
                        [&](std::exception_ptr e) {
                          failure = std::move(e);
                          context.stop();
                        });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return result;
}

std::string line_of(const ConformanceResult& result) {
  const rules::ConformanceCase& one = result.played;
  std::string line = result.was_skipped ? "skipped" : result.mismatch.empty() ? "ok" : "FAIL";
  line = padded(std::move(line), 9) + padded(std::string(one.service), 9);
  line += padded(one.event, 46) + ' ' + padded(std::string(rules::name(one.leads_to)), 26) + ' ';
  if (result.was_skipped) return line + "no server for it: name one with --expired";
  line += result.done;
  return result.mismatch.empty() ? line : line + "; " + result.mismatch;
}

int conformance(const config::Config& config, const ConformanceTargets& targets) {
  std::size_t played = 0;
  std::size_t differ = 0;
  std::size_t skipped = 0;
  const auto done = play_conformance(config, targets, [&](const ConformanceResult& result) {
    std::cout << line_of(result) << std::endl;
    played += result.was_skipped ? 0 : 1;
    skipped += result.was_skipped ? 1 : 0;
    differ += result.mismatch.empty() ? 0 : 1;
  });
  if (!done) {
    std::cerr << "notification-service: " << done.error().detail << '\n';
    return done.error().code == Errc::invalid ? 2 : 1;
  }
  std::cout << played << " cases played, " << differ << " differ, " << skipped << " skipped\n";
  return differ == 0 ? 0 : 1;
}

}  // namespace notify::app
