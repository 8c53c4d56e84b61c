#include "edges/grpc/notification_stream.hpp"

#include <optional>
#include <utility>

#include "base/async/condition.hpp"
#include "edges/grpc/decode.hpp"
#include "edges/grpc/messages.hpp"
#include "edges/grpc/status.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using flows::refuse;

/// Items of one stream that are not answered yet (proto/notification/notification.proto).
constexpr std::size_t kUnansweredMax = 4096;

std::optional<flows::Refusal> check(grpc::ByteBuffer& bytes,
                                    pb::StreamNotificationsRequest& message) {
  if (auto violations = decode(bytes, message)) return refuse(std::move(*violations)).error();
  const auto size = static_cast<std::size_t>(message.items_size());
  if (size >= 1 && size <= kItemsMax) return std::nullopt;
  return refuse(rules::Violations{
                    {"items", "has " + std::to_string(size) + " entries; 1 to 1,000 are allowed"}})
      .error();
}

}  // namespace

class NotificationStreams::Stream {
 public:
  explicit Stream(const async::Executor& executor) : stream(&context), changed(executor) {}

  grpc::ServerContext context;
  ReaderWriter stream;
  flows::Caller caller;
  std::size_t unanswered = 0;
  pb::StreamNotificationsResponse results;  ///< not yet on their way
  bool reading = false;
  bool writing = false;
  bool broken = false;  ///< the caller is gone: nothing can be written
  bool ending = false;  ///< nothing more is taken
  grpc::Status status;  ///< what it ends with
  async::Condition changed;

  void end(grpc::Status why) {
    if (ending) return;
    ending = true;
    status = std::move(why);
    changed.notify();
  }
};

void NotificationStreams::end_all() {
  ending_ = true;
  const grpc::Status status =
      to_status(refuse({base::Errc::unavailable, "the service is stopping"}).error());
  for (Stream* stream : open_) stream->end(status);
}

async::Task<void> NotificationStreams::serve_next() {
  auto stream = std::make_shared<Stream>(host_.timers.executor());
  net::AwaitableEvent arrived(host_.timers.executor());
  listen_(&stream->context, &stream->stream, host_.queue, &arrived);
  if (!co_await arrived.wait()) co_return;  // the server shuts down
  host_.calls.spawn(serve_next());
  if (auto caller = caller_of(stream->context, host_.proof)) {
    stream->caller = std::move(*caller);
  } else {
    stream->end(to_status(refuse(std::move(caller).error()).error()));
  }
  open_.insert(stream.get());
  if (ending_) end_all();
  co_await serve(stream);
  open_.erase(stream.get());
}

async::Task<void> NotificationStreams::serve(std::shared_ptr<Stream> stream) {
  stream->reading = true;
  if (!host_.calls.spawn(read(stream))) stream->reading = false;
  const auto is_done = [s = stream.get()] {
    const bool over = s->ending || !s->reading;
    const bool answered = s->unanswered == 0 && !s->writing;
    return over && answered && (s->broken || s->results.results_size() == 0);
  };
  co_await stream->changed.wait(is_done);
  net::AwaitableEvent finished(host_.timers.executor());
  stream->stream.Finish(stream->status, &finished);
  co_await finished.wait();
  // A read that was under way ends with the stream.
  co_await stream->changed.wait([s = stream.get()] { return !s->reading; });
}

async::Task<void> NotificationStreams::read(std::shared_ptr<Stream> stream) {
  while (!stream->ending) {
    co_await stream->changed.wait(
        [s = stream.get()] { return s->ending || s->unanswered < kUnansweredMax; });
    if (stream->ending) break;
    grpc::ByteBuffer bytes;
    net::AwaitableEvent arrived(host_.timers.executor());
    stream->stream.Read(&bytes, &arrived);
    if (!co_await arrived.wait()) break;  // the caller has closed its side, or is gone
    if (stream->ending) break;            // unanswered: the caller repeats it elsewhere
    pb::StreamNotificationsRequest message;
    if (const auto refusal = check(bytes, message)) {
      stream->end(to_status(*refusal));
      break;
    }
    const auto size = static_cast<std::size_t>(message.items_size());
    stream->unanswered += size;
    if (!host_.calls.spawn(answer(stream, std::move(message)))) stream->unanswered -= size;
  }
  stream->reading = false;
  stream->changed.notify();
}

async::Task<void> NotificationStreams::answer(std::shared_ptr<Stream> stream,
                                              pb::StreamNotificationsRequest message) {
  const base::SteadyTime started = host_.timers.clock().steady_now();
  const auto size = static_cast<std::size_t>(message.items_size());
  const base::HeldShares held(host_.shares, stream->caller.lane, size);
  flows::Accept::Answers answers;
  if (held) {
    std::vector<rules::SendRequest> requests;
    requests.reserve(size);
    for (const auto& item : message.items()) requests.push_back(to_rules(item.notification()));
    try {
      answers = co_await accept_.accept(std::move(requests), stream->caller);
    } catch (...) {
      stream->unanswered -= size;
      stream->end(to_status(refuse({base::Errc::internal, "accepting broke off"}).error()));
      throw;
    }
  } else {
    const base::Error why{base::Errc::overloaded, "too many notifications in flight"};
    answers.assign(size, flows::Answer<flows::Accepted>(refuse(why)));
  }
  for (std::size_t i = 0; i < size; ++i) {
    pb::StreamNotificationsResult& result = *stream->results.add_results();
    result.set_sequence(message.items(static_cast<int>(i)).sequence());
    encode(answers[i], *result.mutable_result());
  }
  stream->unanswered -= size;
  host_.on_done("StreamNotifications", host_.timers.clock().steady_now() - started);
  if (!std::exchange(stream->writing, true) && !host_.calls.spawn(write(stream))) {
    stream->writing = false;
  }
  stream->changed.notify();
}

/// What becomes ready while one message is being written goes into the next.
async::Task<void> NotificationStreams::write(std::shared_ptr<Stream> stream) {
  while (stream->results.results_size() > 0 && !stream->broken) {
    const pb::StreamNotificationsResponse results = std::exchange(stream->results, {});
    net::AwaitableEvent written(host_.timers.executor());
    stream->stream.Write(to_bytes(results), &written);
    stream->broken = !co_await written.wait();
  }
  stream->writing = false;
  stream->changed.notify();
}

}  // namespace notify::edges
