#include "edges/grpc/reflection_rpc.hpp"

#include "edges/grpc/decode.hpp"
#include "edges/grpc/reflection.hpp"
#include "edges/grpc/status.hpp"

namespace notify::edges {

struct ReflectionRpc::Stream {
  Stream() : stream(&context) {}
  grpc::ServerContext context;
  ReaderWriter stream;
};

void ReflectionRpc::start() {
  const auto listen_to = [queue = host_.queue](auto& service) -> Listen {
    return [queue, &service](grpc::ServerContext* context, ReaderWriter* stream, void* tag) {
      service.RequestServerReflectionInfo(context, stream, queue, queue, tag);
    };
  };
  host_.calls.spawn(serve_next(listen_to(services_.v1)));
  host_.calls.spawn(serve_next(listen_to(services_.v1alpha)));
}

void ReflectionRpc::end_streams() {
  ending_ = true;
  for (Stream* stream : open_) stream->context.TryCancel();
}

async::Task<void> ReflectionRpc::serve_next(Listen listen) {
  auto stream = std::make_shared<Stream>();
  net::AwaitableEvent arrived(host_.timers.executor());
  listen(&stream->context, &stream->stream, &arrived);
  if (!co_await arrived.wait()) co_return;  // the server shuts down
  host_.calls.spawn(serve_next(std::move(listen)));
  open_.insert(stream.get());
  const grpc::Status status = co_await answer_all(stream);
  open_.erase(stream.get());
  net::AwaitableEvent finished(host_.timers.executor());
  stream->stream.Finish(status, &finished);
  co_await finished.wait();
}

async::Task<grpc::Status> ReflectionRpc::answer_all(std::shared_ptr<Stream> stream) {
  using flows::refuse;
  auto caller = caller_of(stream->context, host_.proof);
  if (!caller) co_return to_status(refuse(std::move(caller).error()).error());
  const base::HeldShares held(host_.shares, caller->lane, 1);
  if (!held) co_return to_status(refuse({base::Errc::overloaded, "too many calls"}).error());
  while (!ending_) {
    grpc::ByteBuffer bytes;
    net::AwaitableEvent arrived(host_.timers.executor());
    stream->stream.Read(&bytes, &arrived);
    if (!co_await arrived.wait()) co_return grpc::Status::OK;  // the caller has closed its side
    grpc::reflection::v1::ServerReflectionRequest request;
    if (auto malformed = decode(bytes, request)) {
      co_return to_status(refuse(std::move(*malformed)).error());
    }
    net::AwaitableEvent written(host_.timers.executor());
    stream->stream.Write(to_bytes(reflect(request)), &written);
    if (!co_await written.wait()) break;
  }
  co_return to_status(refuse({base::Errc::unavailable, "the service is stopping"}).error());
}

}  // namespace notify::edges
