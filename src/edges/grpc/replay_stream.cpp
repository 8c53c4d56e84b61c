#include "edges/grpc/replay_stream.hpp"

#include <utility>

#include "edges/grpc/admin_messages.hpp"
#include "edges/grpc/decode.hpp"
#include "edges/grpc/status.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using flows::refuse;

constexpr std::size_t kJobsMax = 4;

grpc::Status refused(base::Errc code, const char* detail) {
  return to_status(refuse({code, detail}).error());
}

}  // namespace

struct ReplayStreams::Stream {
  Stream() : writer(&context) {}
  grpc::ServerContext context;
  grpc::ByteBuffer request;
  Writer writer;
  flows::Caller caller;
};

async::Task<void> ReplayStreams::serve_next() {
  auto stream = std::make_shared<Stream>();
  net::AwaitableEvent arrived(host_.timers.executor());
  listen_(&stream->context, &stream->request, &stream->writer, host_.queue, &arrived);
  if (!co_await arrived.wait()) co_return;  // the server shuts down
  host_.calls.spawn(serve_next());
  const grpc::Status status = co_await serve(stream);
  net::AwaitableEvent finished(host_.timers.executor());
  stream->writer.Finish(status, &finished);
  co_await finished.wait();
}

async::Task<grpc::Status> ReplayStreams::serve(std::shared_ptr<Stream> stream) {
  auto caller = caller_of(stream->context, host_.proof);
  if (!caller) co_return to_status(refuse(std::move(caller).error()).error());
  stream->caller = std::move(*caller);
  const base::HeldShares held(host_.shares, stream->caller.lane, 1);
  if (!held || running_ >= kJobsMax) {
    co_return refused(base::Errc::overloaded, "too many replays at once");
  }
  ++running_;
  std::optional<grpc::Status> status;
  try {
    status = co_await run(std::move(stream));
  } catch (...) {
    --running_;
    throw;
  }
  --running_;
  co_return *status;
}

async::Task<grpc::Status> ReplayStreams::run(std::shared_ptr<Stream> stream) {
  pb::ReplayNotificationsRequest message;
  if (auto malformed = decode(stream->request, message)) {
    co_return to_status(refuse(std::move(*malformed)).error());
  }
  rules::Violations violations;
  flows::ReplayRequest request = to_flows(message, host_.timers.clock().now(), violations);
  if (!violations.empty()) co_return to_status(refuse(std::move(violations)).error());
  Actor actor = actor_of(stream->caller, request.actor);
  request.actor = std::move(actor.name);
  request.origin = std::move(actor.origin);
  const auto answer = co_await replay_.run(
      std::move(request),
      [this, stream](const flows::ReplayProgress& progress) { return write(stream, progress); });
  if (!answer) co_return to_status(answer.error());
  if (answer->state == flows::ReplayState::done && co_await write(stream, *answer)) {
    co_return grpc::Status::OK;
  }
  if (ending_) co_return refused(base::Errc::unavailable, "the service is stopping");
  co_return refused(base::Errc::cancelled, "the caller is gone");
}

/// False if the job should stop: nobody listens any more, or the service is stopping.
async::Task<bool> ReplayStreams::write(std::shared_ptr<Stream> stream,
                                       flows::ReplayProgress progress) {
  const bool is_last = progress.state == flows::ReplayState::done;
  if (ending_ && !is_last) co_return false;
  pb::ReplayNotificationsResponse message;
  encode(progress, message);
  net::AwaitableEvent written(host_.timers.executor());
  stream->writer.Write(to_bytes(message), &written);
  const bool arrived = co_await written.wait();
  co_return arrived && (is_last || !ending_);
}

}  // namespace notify::edges
