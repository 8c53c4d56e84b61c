#include "net/http2/connection.hpp"

#include <utility>
#include <variant>
#include <vector>

namespace notify::http2 {

using async::Task;
using base::Deadline;
using base::Errc;
using base::Error;

namespace {
constexpr std::size_t kReadSize = 16 * 1024;  // a TLS record
/// How long the last GOAWAY may take before the socket is closed over it.
constexpr std::chrono::seconds kGoodbyeMax{1};
}  // namespace

/// A caller inside send(). While it is in `pending_` its stream is open.
struct Connection::Pending {
  Pending(Connection& owner, StreamId stream)
      : connection(owner),
        id(stream),
        answer(owner.timers_.executor()),
        timer(owner.timers_, [this] { expire(); }) {
    connection.pending_.emplace(id, this);
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  ~Pending() { give_up(); }

  Processed give_up() {
    if (connection.pending_.erase(id) == 0) return Processed::unknown;
    const auto processed = connection.session_.cancel(id);
    connection.dispatch();
    return processed.value_or(Processed::unknown);
  }

  void expire() {
    ++connection.traffic_.timeouts;
    const Processed processed = give_up();
    answer.complete(failure({Errc::timed_out, "no response before the deadline"}, processed));
  }

  Connection& connection;
  StreamId id;
  async::OneShot<Result> answer;
  async::Timer timer;
};

Connection::Connection(async::Timers& timers, std::unique_ptr<net::Transport> transport,
                       ConnectionOptions options, Traffic& traffic, async::OnEscape on_escape,
                       std::function<void()> on_change)
    : timers_(timers),
      transport_(std::move(transport)),
      options_(std::move(options)),
      traffic_(traffic),
      on_change_(std::move(on_change)),
      session_(options_.session),
      quiet_since_(now()),
      health_(timers_, [this] { check_health(); }),
      drain_(timers_, [this] { on_drain_deadline(); }),
      tasks_(timers_.executor(), std::move(on_escape)) {
  health_.arm(Deadline(health_due()));
  tasks_.spawn(read_loop());
  tasks_.spawn(write_loop());
}

Connection::~Connection() = default;

bool Connection::accepting() const { return !lost_ && !draining_ && session_.accepting(); }

Task<Result> Connection::send(std::shared_ptr<const Request> request, Deadline deadline) {
  if (!accepting()) {
    co_return failure({Errc::unavailable, "the connection takes no new streams"}, Processed::no);
  }
  if (deadline.passed(now())) {
    co_return failure({Errc::timed_out, "the deadline had passed before the start"}, Processed::no);
  }
  auto id = session_.submit(*request);
  if (!id) co_return failure(std::move(id).error(), Processed::no);
  if (pending_.empty() && !ping_under_way_) {
    quiet_since_ = now();
    health_.arm(Deadline(quiet_since_ + options_.ping_busy));
  }
  Pending pending(*this, *id);
  pending.timer.arm(deadline);
  wake_writer();
  co_return co_await pending.answer.wait();
}

Task<void> Connection::read_loop() {
  std::vector<char> buffer(kReadSize);
  for (;;) {
    const auto size = co_await transport_->read(buffer);
    if (!size) {
      lose(size.error());
      co_return;
    }
    traffic_.bytes_in += *size;
    quiet_since_ = now();
    const auto received = session_.receive({buffer.data(), *size});
    dispatch();
    if (!received) lose(received.error());
  }
}

Task<void> Connection::write_loop() {
  std::string out;
  while (!lost_ && !session_.finished()) {
    out.clear();
    session_.write(out, options_.write_size);
    dispatch();
    if (!out.empty()) {
      const auto written = co_await transport_->write(out);
      if (!written) {
        lose(written.error());
        co_return;
      }
      traffic_.bytes_out += *written;
      ++traffic_.write_calls;
    } else if (!session_.wants_write() && !session_.finished()) {
      // The wake-up comes through the executor's queue, behind all that is ready to run now: what
      // those coroutines send joins the same write.
      async::OneShot<async::Unit> wake(timers_.executor());
      sleeping_writer_ = &wake;
      co_await wake.wait();
    }
  }
  lose({Errc::unavailable, "the HTTP/2 session has ended"});
}

void Connection::wake_writer() {
  if (sleeping_writer_ != nullptr) std::exchange(sleeping_writer_, nullptr)->complete({});
}

void Connection::dispatch() {
  std::vector<Event> happened = session_.take_events();
  for (Event& event : happened) {
    std::visit([this](auto& what) { on_event(what); }, event);
  }
  if (!lost_ && !said_goodbye_ && !accepting() && session_.open_streams() == 0) {
    said_goodbye_ = true;
    session_.go_away();
    drain_.arm(timers_.after(kGoodbyeMax));
  }
  if (session_.wants_write()) wake_writer();
  if (!happened.empty()) on_change_();
}

void Connection::on_event(StreamEnded& ended) {
  const auto place = pending_.find(ended.id);
  if (place == pending_.end()) return;
  Pending& pending = *place->second;
  pending_.erase(place);
  pending.answer.complete(std::move(ended.result));
}

void Connection::on_event(const PingAnswered&) {
  ping_under_way_ = false;
  health_.arm(Deadline(health_due()));
}

void Connection::lose(const Error& error) {
  if (lost_) return;
  lost_ = true;
  health_.disarm();
  drain_.disarm();
  transport_->close();
  session_.fail_all(error);
  dispatch();
  wake_writer();
  on_change_();
}

base::SteadyTime Connection::health_due() const {
  return quiet_since_ + (pending_.empty() ? options_.ping_idle : options_.ping_busy);
}

void Connection::check_health() {
  if (ping_under_way_) {
    lose({Errc::unavailable, "the peer does not answer PING"});
    return;
  }
  if (now() < health_due()) {
    health_.arm(Deadline(health_due()));
    return;
  }
  ping_under_way_ = true;
  session_.ping();
  health_.arm(timers_.after(options_.ping_timeout));
  wake_writer();
}

void Connection::drain(Deadline deadline) {
  if (lost_) return;
  if (!said_goodbye_) drain_.arm(deadline);
  if (std::exchange(draining_, true)) return;
  dispatch();
  on_change_();
}

void Connection::on_drain_deadline() {
  if (said_goodbye_) {
    lose({Errc::unavailable, "the peer did not take the last GOAWAY"});
    return;
  }
  session_.fail_all({Errc::unavailable, "the connection was closed before the response"});
  dispatch();
}

Task<void> Connection::join() { return tasks_.join(); }

}  // namespace notify::http2
