#include "raw/empty_server.hpp"

#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "notification/notification.grpc.pb.h"

namespace notify::bench {
namespace {

namespace pb = notification;
using Service = pb::NotificationService::AsyncService;
using Queue = grpc::ServerCompletionQueue;

void accept(pb::SendNotificationResponse& response) {
  response.set_notification_id("01890a5d-ac96-774b-bcce-b302099a8057");
  response.set_status(pb::NOTIFICATION_STATUS_PENDING);
  response.mutable_created_at()->set_seconds(1'700'000'000);
  response.mutable_expires_at()->set_seconds(1'700'014'400);
}

/// A place for one call at a time, which listens again when the call is over.
class Slot {
 public:
  virtual ~Slot() = default;
  virtual void listen() = 0;
  virtual void on_event(bool ok) = 0;
};

struct Unary {
  using Request = pb::SendNotificationRequest;
  using Response = pb::SendNotificationResponse;
  static constexpr auto kListen = &Service::RequestSendNotification;
  static void answer(const Request&, Response& response) { accept(response); }
};

struct Batch {
  using Request = pb::BatchSendNotificationsRequest;
  using Response = pb::BatchSendNotificationsResponse;
  static constexpr auto kListen = &Service::RequestBatchSendNotifications;
  static void answer(const Request& request, Response& response) {
    response.Clear();
    for (int i = 0; i < request.notifications_size(); ++i) {
      accept(*response.add_results()->mutable_accepted());
    }
  }
};

template <class Rpc>
class CallSlot final : public Slot {
 public:
  CallSlot(Service& service, Queue& queue) : service_(service), queue_(queue) {}

  void listen() override {
    answering_ = false;
    writer_.reset();
    context_.emplace();
    writer_.emplace(&*context_);
    (service_.*Rpc::kListen)(&*context_, &request_, &*writer_, &queue_, &queue_, this);
  }

  void on_event(bool ok) override {
    if (answering_) return listen();
    if (!ok) return;  // the server shuts down
    answering_ = true;
    Rpc::answer(request_, response_);
    writer_->Finish(response_, grpc::Status::OK, this);
  }

 private:
  Service& service_;
  Queue& queue_;
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncResponseWriter<typename Rpc::Response>> writer_;
  typename Rpc::Request request_;
  typename Rpc::Response response_;
  bool answering_ = false;
};

/// Reads a message, answers it, reads the next.
class StreamSlot final : public Slot {
 public:
  StreamSlot(Service& service, Queue& queue) : service_(service), queue_(queue) {}

  void listen() override {
    state_ = State::listening;
    stream_.reset();
    context_.emplace();
    stream_.emplace(&*context_);
    service_.RequestStreamNotifications(&*context_, &*stream_, &queue_, &queue_, this);
  }

  void on_event(bool ok) override {
    switch (state_) {
      case State::listening:
        if (ok) read();  // else the server shuts down
        return;
      case State::reading:
        if (!ok) return finish();
        return write();
      case State::writing:
        if (!ok) return finish();
        return read();
      case State::finishing: return listen();
    }
  }

 private:
  enum class State : std::uint8_t { listening, reading, writing, finishing };

  void read() {
    state_ = State::reading;
    stream_->Read(&request_, this);
  }
  void write() {
    state_ = State::writing;
    response_.Clear();
    for (const pb::StreamNotificationsItem& item : request_.items()) {
      pb::StreamNotificationsResult& result = *response_.add_results();
      result.set_sequence(item.sequence());
      accept(*result.mutable_result()->mutable_accepted());
    }
    stream_->Write(response_, this);
  }
  void finish() {
    state_ = State::finishing;
    stream_->Finish(grpc::Status::OK, this);
  }

  Service& service_;
  Queue& queue_;
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncReaderWriter<pb::StreamNotificationsResponse,
                                              pb::StreamNotificationsRequest>>
      stream_;
  pb::StreamNotificationsRequest request_;
  pb::StreamNotificationsResponse response_;
  State state_ = State::listening;
};

void serve(Queue& queue, Service& service) {
  constexpr int kUnary = 256;
  constexpr int kOther = 32;
  std::vector<std::unique_ptr<Slot>> slots;
  for (int i = 0; i < kUnary; ++i) {
    slots.push_back(std::make_unique<CallSlot<Unary>>(service, queue));
  }
  for (int i = 0; i < kOther; ++i) {
    slots.push_back(std::make_unique<CallSlot<Batch>>(service, queue));
    slots.push_back(std::make_unique<StreamSlot>(service, queue));
  }
  for (const auto& slot : slots) slot->listen();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) static_cast<Slot*>(tag)->on_event(ok);
}

}  // namespace

void serve_empty(const EmptyServerOptions& options) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before there are threads, so in all of them

  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<Queue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || port == 0) throw std::runtime_error("cannot listen on " + options.listen);
  std::thread worker([&queue, &service] { serve(*queue, service); });
  std::cout << port << std::endl;

  int signal = 0;
  sigwait(&ends, &signal);
  server->Shutdown(std::chrono::system_clock::time_point::min());
  queue->Shutdown();
  worker.join();
}

}  // namespace notify::bench
