#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "load_generator/channels.hpp"
#include "load_generator/event_loop.hpp"
#include "load_generator/load.hpp"
#include "load_generator/request_source.hpp"
#include "load_generator/schedule.hpp"
#include "load_generator/tally.hpp"

namespace notify::bench {
namespace {

namespace pb = notification;
using base::SteadyTime;

constexpr std::chrono::seconds kGrace{60};
constexpr std::chrono::milliseconds kIdle{50};

/// One message of several notifications, from its intended start to its last answer.
struct Message {
  SteadyTime intended;
  std::size_t unanswered = 0;
};

/// What the streams of a run share. A `sequence` is the number of its message times the items of a
/// message, plus its place in it.
struct Run {
  const LoadOptions& options;
  const base::Clock& clock;
  RequestSource source;
  Schedule schedule;
  Tally tally;
  grpc::CompletionQueue queue;
  std::deque<Message> messages;
};

/// One stream. At most one write and one read are under way, as gRPC demands.
class Stream {
 public:
  enum class Event : std::uint8_t { started, wrote, read, finished };
  struct Tag {
    Stream* stream = nullptr;
    Event event{};
  };

  Stream(Run& run, Stub& stub) : run_(run) {
    for (std::size_t i = 0; i < tags_.size(); ++i) tags_[i] = {this, static_cast<Event>(i)};
    context_.set_deadline(deadline_in(run.options.duration + kGrace));
    call_ = stub.PrepareAsyncStreamNotifications(&context_, &run.queue);
    call_->StartCall(tag(Event::started));
  }

  /// gRPC has given everything back.
  [[nodiscard]] bool is_finished() const { return finished_ && !writing_; }
  [[nodiscard]] bool has_room() const {
    return open_ && waiting_.empty() && unanswered_ + run_.options.items <= run_.options.window;
  }

  void add(std::uint64_t message) {
    waiting_.push_back(message);
    write_more();
  }
  /// Nothing more is added.
  void close() {
    closing_ = true;
    write_more();
  }

  void on_event(Event event, bool ok) {
    switch (event) {
      case Event::started:
        open_ = ok;
        if (!ok) return finish();
        call_->Read(&response_, tag(Event::read));
        return write_more();
      case Event::wrote:
        writing_ = false;
        if (!ok) open_ = false;  // the reader learns the reason
        return write_more();
      case Event::read:
        if (!ok) return finish();
        take_answers();
        call_->Read(&response_, tag(Event::read));
        return write_more();
      case Event::finished: return end();
    }
  }

 private:
  [[nodiscard]] Tag* tag(Event event) { return &tags_[static_cast<std::size_t>(event)]; }

  void write_more() {
    if (!open_ || writing_) return;
    if (waiting_.empty()) {
      if (closing_ && !half_closed_) {
        half_closed_ = writing_ = true;
        call_->WritesDone(tag(Event::wrote));
      }
      return;
    }
    if (unanswered_ + run_.options.items > run_.options.window) return;
    write(waiting_.front());
    waiting_.pop_front();
  }

  void write(std::uint64_t number) {
    const std::size_t items = run_.options.items;
    request_.Clear();
    for (std::size_t i = 0; i < items; ++i) {
      pb::StreamNotificationsItem& item = *request_.add_items();
      item.set_sequence(number * items + i);
      run_.source.fill(*item.mutable_notification());
    }
    Message& message = run_.messages[number];
    message.unanswered = items;
    unanswered_ += items;
    writing_ = true;
    run_.tally.sent(items);
    run_.tally.late(message.intended, run_.clock.steady_now());
    call_->Write(request_, tag(Event::wrote));
  }

  void take_answers() {
    const SteadyTime now = run_.clock.steady_now();
    for (const pb::StreamNotificationsResult& result : response_.results()) {
      const std::uint64_t number = result.sequence() / run_.options.items;
      if (number >= run_.messages.size() || run_.messages[number].unanswered == 0) {
        run_.tally.unexpected();
        continue;
      }
      Message& message = run_.messages[number];
      --message.unanswered;
      --unanswered_;
      run_.tally.count(result.result(), message.intended, now);
    }
  }

  void finish() {
    open_ = false;
    call_->Finish(&status_, tag(Event::finished));
  }

  /// What has no answer now gets none.
  void end() {
    finished_ = true;
    const std::size_t unsent = waiting_.size() * run_.options.items;
    const std::size_t lost = unanswered_ + unsent;
    if (lost > 0 || !status_.ok()) run_.tally.refused(status_.error_code(), lost);
    run_.tally.sent(unsent);
  }

  Run& run_;
  std::array<Tag, 4> tags_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<pb::StreamNotificationsRequest,
                                                pb::StreamNotificationsResponse>>
      call_;
  pb::StreamNotificationsRequest request_;
  pb::StreamNotificationsResponse response_;
  grpc::Status status_;
  std::deque<std::uint64_t> waiting_;
  std::size_t unanswered_ = 0;
  bool open_ = false;
  bool writing_ = false;
  bool closing_ = false;
  bool half_closed_ = false;
  bool finished_ = false;
};

using Streams = std::vector<std::unique_ptr<Stream>>;

/// Gives out what is due, in turn; in a closed loop to whoever has room. False when all is out.
bool give_out(Run& run, Streams& streams, SteadyTime now) {
  std::size_t given = 0;
  while (!run.schedule.is_over(run.messages.size(), now)) {
    const std::uint64_t number = run.messages.size();
    Stream& stream = *streams[number % streams.size()];
    // A stream that has ended would take what nobody answers: the run is a failure anyhow.
    if (stream.is_finished()) return false;
    if (!run.schedule.is_open()) {
      const auto free = std::find_if(streams.begin(), streams.end(),
                                     [](const auto& each) { return each->has_room(); });
      if (free == streams.end()) return true;
      run.messages.push_back({now, 0});
      (*free)->add(number);
      if (++given > run.options.window) return true;  // let answers in
      continue;
    }
    const SteadyTime intended = run.schedule.start_of(number, now);
    if (intended > now) return true;
    run.messages.push_back({intended, 0});
    stream.add(number);
  }
  return false;
}

bool all_finished(const Streams& streams) {
  return std::all_of(streams.begin(), streams.end(),
                     [](const auto& stream) { return stream->is_finished(); });
}

}  // namespace

std::string run_streams(const LoadOptions& given, const base::Clock& clock) {
  LoadOptions options = given;
  if (options.rate <= 0) {  // closed loop: the streams share what may be in flight
    options.window = std::max(options.items, options.in_flight / options.channels);
  }
  const auto stubs = open_channels(options.target, options.channels);
  Run run{options,
          clock,
          RequestSource(options),
          Schedule(options, clock.steady_now()),
          Tally(clock.steady_now()),
          {},
          {}};
  Streams streams;
  for (const auto& stub : stubs) streams.push_back(std::make_unique<Stream>(run, *stub));
  bool closed = false;
  while (!all_finished(streams)) {
    const SteadyTime now = clock.steady_now();
    if (!closed && !give_out(run, streams, now)) {
      for (const auto& stream : streams) stream->close();
      closed = true;
    }
    const auto patience = closed || !run.schedule.is_open()
                              ? std::chrono::nanoseconds(kIdle)
                              : run.schedule.start_of(run.messages.size(), now) - now;
    handle_events(run.queue, patience, [](void* tag, bool ok) {
      const auto* event = static_cast<Stream::Tag*>(tag);
      event->stream->on_event(event->event, ok);
    });
  }
  shut_down(run.queue);
  return run.tally.to_json();
}

}  // namespace notify::bench
