#include "edges/grpc/notification_stream.hpp"

#include <deque>
#include <optional>
#include <utility>

#include "base/async/condition.hpp"
#include "edges/grpc/accept_items.hpp"
#include "edges/grpc/decode.hpp"
#include "edges/grpc/messages.hpp"
#include "edges/grpc/status.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using flows::refuse;

/// The window of one stream: items that are read and whose results are not written yet, and the
/// bytes of these requests and results (proto/notification/notification.proto).
constexpr std::size_t kUnansweredMax = 4096;
constexpr std::size_t kUnansweredBytesMax = 4 << 20;
/// Results that one message carries: far below the 4 MiB that clients take by default.
constexpr std::size_t kMessageBytesMax = 256 << 10;

}  // namespace

/// One message of a caller.
struct NotificationStreams::Items {
  pb::StreamNotificationsRequest message;
  SpoiltItems spoilt;
  std::size_t bytes = 0;
  bool admitted = false;  ///< the caller's shares had room for them

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(message.items_size()); }
};

namespace {

grpc::Status stopping() {
  return to_status(refuse({base::Errc::unavailable, "the service is stopping"}).error());
}

std::optional<flows::Refusal> not_readable(grpc::ByteBuffer& bytes,
                                           pb::StreamNotificationsRequest& message,
                                           SpoiltItems& spoilt) {
  if (auto violations =
          decode_items(bytes, message, *pb::SendNotificationRequest::descriptor(), spoilt)) {
    return refuse(std::move(*violations)).error();
  }
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

  /// Results that go to the caller as one message.
  struct Results {
    pb::StreamNotificationsResponse message;
    std::size_t bytes = 0;
    std::size_t shares = 0;  ///< that are given back once it is written
  };

  grpc::ServerContext context;
  ReaderWriter stream;
  flows::Caller caller;
  std::optional<base::HeldShares> held;  ///< one for the stream, and one for each admitted item
  std::size_t unanswered = 0;            ///< items that are read and whose results are not written
  std::size_t unanswered_bytes = 0;
  std::size_t accepting = 0;    ///< items of these that are being worked on
  std::deque<Results> results;  ///< not yet on their way
  bool reading = false;
  bool writing = false;
  bool broken = false;  ///< the caller is gone: nothing can be written
  bool ending = false;  ///< nothing more is taken
  grpc::Status status;  ///< what it ends with
  async::Condition changed;

  [[nodiscard]] bool is_over() const { return ending || broken; }
  [[nodiscard]] bool has_room() const {
    return unanswered < kUnansweredMax && unanswered_bytes < kUnansweredBytesMax;
  }

  void end(grpc::Status why) {
    if (ending) return;
    ending = true;
    status = std::move(why);
    changed.notify();
  }

  void add(pb::StreamNotificationsResult result, bool admitted) {
    const std::size_t bytes = result.ByteSizeLong();
    if (results.empty() || results.back().bytes + bytes > kMessageBytesMax) results.emplace_back();
    Results& last = results.back();
    *last.message.add_results() = std::move(result);
    last.bytes += bytes;
    unanswered_bytes += bytes;
    if (admitted) ++last.shares;
  }

  void let_go(const Results& written) {
    unanswered -= static_cast<std::size_t>(written.message.results_size());
    unanswered_bytes -= written.bytes;
    held->give_back(written.shares);
    changed.notify();
  }
};

void NotificationStreams::end_all() {
  ending_ = true;
  for (Stream* stream : open_) stream->end(stopping());
}

async::Task<void> NotificationStreams::serve_next() {
  auto stream = std::make_shared<Stream>(host_.timers.executor());
  net::AwaitableEvent arrived(host_.timers.executor());
  listen_(&stream->context, &stream->stream, host_.queue, &arrived);
  if (!co_await arrived.wait()) co_return;  // the server shuts down
  host_.calls.spawn(serve_next());
  admit(*stream);
  open_.insert(stream.get());
  if (ending_) end_all();
  co_await serve(stream);
  open_.erase(stream.get());
}

void NotificationStreams::admit(Stream& stream) {
  auto caller = caller_of(stream.context, host_.proof);
  if (!caller) return stream.end(to_status(refuse(std::move(caller).error()).error()));
  stream.caller = std::move(*caller);
  stream.held.emplace(host_.shares, stream.caller.lane, 1);
  if (*stream.held) return;
  stream.end(to_status(refuse({base::Errc::overloaded, "too many streams"}).error()));
}

async::Task<void> NotificationStreams::serve(std::shared_ptr<Stream> stream) {
  stream->reading = true;
  if (!host_.calls.spawn(read(stream))) stream->reading = false;
  const auto is_done = [s = stream.get()] {
    const bool answered = s->accepting == 0 && !s->writing;
    return (s->ending || !s->reading) && answered && (s->broken || s->results.empty());
  };
  co_await stream->changed.wait(is_done);
  net::AwaitableEvent finished(host_.timers.executor());
  stream->stream.Finish(stream->status, &finished);
  co_await finished.wait();
  // A read that was under way ends with the stream.
  co_await stream->changed.wait([s = stream.get()] { return !s->reading; });
}

/// A caller that does not read its results is not read either.
async::Task<void> NotificationStreams::read(std::shared_ptr<Stream> stream) {
  for (;;) {
    co_await stream->changed.wait([s = stream.get()] { return s->is_over() || s->has_room(); });
    if (stream->is_over()) break;
    grpc::ByteBuffer bytes;
    net::AwaitableEvent arrived(host_.timers.executor());
    stream->stream.Read(&bytes, &arrived);
    if (!co_await arrived.wait()) break;  // the caller has closed its side, or is gone
    if (stream->ending) break;            // unanswered: the caller repeats it elsewhere
    Items items;
    items.bytes = bytes.Length();
    if (const auto refusal = not_readable(bytes, items.message, items.spoilt)) {
      stream->end(to_status(*refusal));
      break;
    }
    items.admitted = co_await take_shares(*stream, items.size());
    if (stream->is_over()) break;
    stream->unanswered += items.size();
    stream->unanswered_bytes += items.bytes;
    stream->accepting += items.size();
    const std::size_t size = items.size();
    if (!host_.calls.spawn(answer(stream, std::move(items)))) {
      stream->accepting -= size;
      stream->end(stopping());
    }
  }
  stream->reading = false;
  stream->changed.notify();
}

/// While the stream has results to write, it waits for what these give back. It gets false only if
/// it holds nothing: then others have all the room.
async::Task<bool> NotificationStreams::take_shares(Stream& stream, std::size_t count) {
  while (!stream.held->take(count)) {
    const std::size_t before = stream.unanswered;
    if (before == 0) co_return false;
    co_await stream.changed.wait(
        [&stream, before] { return stream.is_over() || stream.unanswered < before; });
    if (stream.is_over()) co_return false;
  }
  co_return true;
}

async::Task<void> NotificationStreams::answer(std::shared_ptr<Stream> stream, Items items) {
  const base::SteadyTime started = host_.timers.clock().steady_now();
  const std::size_t size = items.size();
  flows::Accept::Answers answers;
  if (items.admitted) {
    std::vector<rules::SendRequest> requests;
    requests.reserve(size);
    for (const auto& item : items.message.items()) {
      requests.push_back(to_rules(item.notification()));
    }
    try {
      answers = co_await accept_items(accept_, std::move(requests), items.spoilt, stream->caller);
    } catch (...) {
      stream->accepting -= size;
      stream->end(to_status(refuse({base::Errc::internal, "accepting broke off"}).error()));
      throw;
    }
  } else {
    const base::Error why{base::Errc::overloaded, "too many notifications in flight"};
    answers.assign(size, flows::Answer<flows::Accepted>(refuse(why)));
  }
  for (std::size_t i = 0; i < size; ++i) {
    pb::StreamNotificationsResult result;
    result.set_sequence(items.message.items(static_cast<int>(i)).sequence());
    encode(answers[i], *result.mutable_result());
    stream->add(std::move(result), items.admitted);
  }
  stream->accepting -= size;
  stream->unanswered_bytes -= items.bytes;
  host_.on_done("StreamNotifications", host_.timers.clock().steady_now() - started);
  if (!std::exchange(stream->writing, true) && !host_.calls.spawn(write(stream))) {
    stream->writing = false;
    stream->broken = true;
  }
  stream->changed.notify();
}

/// What becomes ready while one message is being written goes into those that follow.
async::Task<void> NotificationStreams::write(std::shared_ptr<Stream> stream) {
  while (!stream->results.empty() && !stream->broken) {
    const Stream::Results results = std::move(stream->results.front());
    stream->results.pop_front();
    net::AwaitableEvent written(host_.timers.executor());
    stream->stream.Write(to_bytes(results.message), &written);
    stream->broken = !co_await written.wait();
    stream->let_go(results);
  }
  stream->writing = false;
  stream->changed.notify();
}

}  // namespace notify::edges
