#include "storage/redis/client.hpp"

#include <algorithm>
#include <utility>

#include "net/tls/context.hpp"
#include "storage/redis/connection.hpp"
#include "storage/redis/request.hpp"

namespace notify::redis {

using async::Task;
using base::Errc;
using base::Expected;

namespace {

Command evaluate(std::string_view how, std::string_view what, const std::vector<std::string>& keys,
                 const std::vector<std::string>& arguments) {
  Command command(how);
  command.arg(what).arg(static_cast<std::int64_t>(keys.size()));
  for (const std::string& key : keys) command.key(key);
  for (const std::string& argument : arguments) command.arg(std::string_view(argument));
  return command;
}

}  // namespace

Expected<std::unique_ptr<Client>> Client::create(async::Timers& timers, base::Rng& rng, Url url,
                                                 ClientOptions options, async::OnEscape on_escape) {
  auto topology = make_topology(url);
  if (!topology) return base::fail(std::move(topology.error()));
  std::unique_ptr<net::TlsContext> tls;
  if (url.tls) {
    auto made = net::TlsContext::create({.ca_file = options.ca_file, .alpn = ""});
    if (!made) return base::fail(std::move(made.error()));
    tls = std::move(*made);
  }
  return std::unique_ptr<Client>(new Client(timers, rng, std::move(url), std::move(options),
                                            std::move(on_escape), std::move(*topology),
                                            std::move(tls)));
}

Client::Client(async::Timers& timers, base::Rng& rng, Url url, ClientOptions options,
               async::OnEscape on_escape, std::unique_ptr<Topology> topology,
               std::unique_ptr<net::TlsContext> tls)
    : timers_(timers),
      rng_(rng),
      url_(std::move(url)),
      options_(std::move(options)),
      topology_(std::move(topology)),
      tls_(std::move(tls)),
      tasks_(timers.executor(), std::move(on_escape)) {}

Client::~Client() = default;

void Client::start() {
  for (std::size_t i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(
        ConnectionContext{timers_, rng_, url_, options_, counters_, *topology_, tls_.get(), tasks_,
                          [this] { on_change(); }}));
    tasks_.spawn(connections_.back()->run());
  }
}

Task<void> Client::stop(base::Deadline deadline) {
  stopping_ = true;
  if (!idle()) {
    async::OneShot<async::Unit> drained(timers_.executor());
    async::Timer give_up(timers_, [&drained] { drained.complete({}); });
    give_up.arm(deadline);
    struct Unregister {
      async::OneShot<async::Unit>*& place;
      ~Unregister() { place = nullptr; }
    } unregister{drained_};
    drained_ = &drained;
    co_await drained.wait();
  }
  fail_waiting("the client is stopping");
  co_await tasks_.stop();
}

Task<Expected<Reply>> Client::command(Command command, base::Deadline deadline) {
  std::vector<Command> one;
  one.push_back(std::move(command));
  auto replies = co_await pipeline(std::move(one), deadline);
  if (!replies) co_return base::fail(std::move(replies.error()));
  Reply& reply = replies->front();
  if (reply.is_error()) co_return base::fail(reply.to_error());
  co_return std::move(reply);
}

Expected<void> Client::admit(const std::vector<Command>& commands, base::Deadline deadline) {
  if (stopping_) return base::fail(Errc::unavailable, "the client is stopping");
  if (commands.empty()) return base::fail(Errc::internal, "no command");
  if (commands.size() > options_.pipeline_max) {
    return base::fail(Errc::internal, "too many commands in one call");
  }
  if (deadline.passed(timers_.clock().steady_now())) {
    ++counters_.timeouts;
    return base::fail(Errc::unavailable, "the deadline had passed before the start");
  }
  if (options_.when_down == WhenDown::fail_at_once && connected() == 0) {
    return base::fail(Errc::unavailable, "no connection to Redis");
  }
  if (waiting_.size() >= options_.waiting_max || waiting_bytes_ >= options_.waiting_bytes_max) {
    return base::fail(Errc::overloaded, "too many commands are waiting");
  }
  return {};
}

Task<Expected<std::vector<Reply>>> Client::pipeline(std::vector<Command> commands,
                                                    base::Deadline deadline) {
  if (auto admitted = admit(commands, deadline); !admitted) {
    ++counters_.errors;
    co_return base::fail(std::move(admitted.error()));
  }
  auto request = std::make_shared<Request>(timers_.executor(), std::move(commands));
  for (const Command& command : request->commands) request->bytes += command.bytes();
  async::Timer expiry(timers_, [this, request] { expire(*request); });
  expiry.arm(deadline);
  request->place = waiting_.insert(waiting_.end(), request);
  waiting_bytes_ += request->bytes;
  pump();
  try {
    co_return co_await request->done.wait();
  } catch (...) {
    withdraw(*request);
    throw;
  }
}

Task<Expected<Reply>> Client::run(const Script& script, std::vector<std::string> keys,
                                  std::vector<std::string> arguments, base::Deadline deadline) {
  std::vector<Command> by_name{evaluate("EVALSHA", script.sha1(), keys, arguments)};
  auto replies = co_await pipeline(std::move(by_name), deadline);
  if (!replies) co_return base::fail(std::move(replies.error()));
  Reply& reply = replies->front();
  if (!reply.is_error()) co_return std::move(reply);
  if (reply.error_prefix() != "NOSCRIPT") co_return base::fail(reply.to_error());
  // The server forgets its scripts in a restart or failover; EVAL teaches it anew.
  ++counters_.script_fallbacks;
  co_return co_await command(evaluate("EVAL", script.source(), keys, arguments), deadline);
}

Task<Expected<std::vector<Reply>>> Client::run_all(std::vector<ScriptCall> calls,
                                                   base::Deadline deadline) {
  std::vector<Command> by_name;
  by_name.reserve(calls.size());
  for (const ScriptCall& call : calls) {
    by_name.push_back(evaluate("EVALSHA", call.script.sha1(), call.keys, call.arguments));
  }
  auto replies = co_await pipeline(std::move(by_name), deadline);
  if (!replies) co_return base::fail(std::move(replies.error()));
  std::vector<Command> by_text;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Reply& reply = (*replies)[i];
    if (!reply.is_error() || reply.error_prefix() != "NOSCRIPT") continue;
    by_text.push_back(
        evaluate("EVAL", calls[i].script.source(), calls[i].keys, calls[i].arguments));
    places.push_back(i);
  }
  if (places.empty()) co_return replies;
  counters_.script_fallbacks += places.size();
  auto taught = co_await pipeline(std::move(by_text), deadline);
  if (!taught) co_return base::fail(std::move(taught.error()));
  for (std::size_t i = 0; i < places.size(); ++i) (*replies)[places[i]] = std::move((*taught)[i]);
  co_return replies;
}

void Client::pump() {
  while (!waiting_.empty()) {
    Connection* const connection = least_loaded();
    if (connection == nullptr) return;
    const std::shared_ptr<Request> request = waiting_.front();
    leave_line(*request);
    connection->send(request);
  }
}

void Client::on_change() {
  pump();
  if (options_.when_down == WhenDown::fail_at_once && connected() == 0) {
    fail_waiting("no connection to Redis");
  }
  if (drained_ != nullptr && idle()) drained_->complete({});
}

Connection* Client::least_loaded() const {
  Connection* best = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->has_room()) continue;
    if (best == nullptr || connection->in_flight() < best->in_flight()) best = connection.get();
  }
  return best;
}

bool Client::idle() const {
  return waiting_.empty() && std::ranges::all_of(connections_, [](const auto& connection) {
           return connection->in_flight() == 0;
         });
}

void Client::leave_line(Request& request) {
  waiting_bytes_ -= request.bytes;
  waiting_.erase(request.place);
}

void Client::expire(Request& request) {
  if (request.state == Request::State::over) return;
  ++counters_.errors;
  ++counters_.timeouts;
  if (request.state == Request::State::sent) {
    request.complete(base::fail(Errc::timed_out, "the deadline passed before Redis answered"));
    return;
  }
  leave_line(request);
  request.complete(base::fail(Errc::unavailable, connected() == 0
                                                     ? "no connection to Redis"
                                                     : "the deadline passed in the line"));
  if (drained_ != nullptr && idle()) drained_->complete({});
}

void Client::withdraw(Request& request) {
  if (request.state == Request::State::waiting) leave_line(request);
  request.state = Request::State::over;
}

void Client::fail_waiting(const char* why) {
  while (!waiting_.empty()) {
    const std::shared_ptr<Request> request = waiting_.front();
    leave_line(*request);
    ++counters_.errors;
    request->complete(base::fail(Errc::unavailable, why));
  }
}

std::size_t Client::connected() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& connection) { return connection->is_ready(); }));
}

ClientCounters Client::counters() const {
  ClientCounters all = counters_;
  all.waiting = waiting_.size();
  all.connected = connected();
  for (const auto& connection : connections_) all.in_flight += connection->in_flight();
  return all;
}

}  // namespace notify::redis
