#include <optional>
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

constexpr std::chrono::seconds kCallDeadline{30};
constexpr std::chrono::milliseconds kIdle{50};

struct Unary {
  using Request = pb::SendNotificationRequest;
  using Response = pb::SendNotificationResponse;

  static void fill(RequestSource& source, std::size_t, Request& request) { source.fill(request); }
  static auto prepare(Stub& stub, grpc::ClientContext& context, const Request& request,
                      grpc::CompletionQueue& queue) {
    return stub.PrepareAsyncSendNotification(&context, request, &queue);
  }
  static void count(const Response&, Tally& tally, SteadyTime intended, SteadyTime now) {
    tally.accepted(intended, now);
  }
};

struct Batch {
  using Request = pb::BatchSendNotificationsRequest;
  using Response = pb::BatchSendNotificationsResponse;

  static void fill(RequestSource& source, std::size_t items, Request& request) {
    request.Clear();
    for (std::size_t i = 0; i < items; ++i) source.fill(*request.add_notifications());
  }
  static auto prepare(Stub& stub, grpc::ClientContext& context, const Request& request,
                      grpc::CompletionQueue& queue) {
    return stub.PrepareAsyncBatchSendNotifications(&context, request, &queue);
  }
  static void count(const Response& response, Tally& tally, SteadyTime intended, SteadyTime now) {
    for (const pb::SendNotificationResult& result : response.results()) {
      tally.count(result, intended, now);
    }
  }
};

/// Threading: one thread.
template <class Rpc>
class CallLoad {
 public:
  CallLoad(const LoadOptions& options, const base::Clock& clock)
      : options_(options),
        clock_(clock),
        stubs_(open_channels(options.target, options.channels)),
        source_(options),
        schedule_(options, clock.steady_now()),
        tally_(clock.steady_now()),
        in_flight_max_(std::max<std::size_t>(1, options.in_flight / options.items)) {}

  std::string run() {
    for (;;) {
      const SteadyTime now = clock_.steady_now();
      start_due(now);
      const bool over = schedule_.is_over(started_, now);
      if (over && in_flight_ == 0) break;
      const auto patience = over || !schedule_.is_open()
                                ? std::chrono::nanoseconds(kIdle)
                                : schedule_.start_of(started_, now) - clock_.steady_now();
      handle_events(queue_, patience,
                    [this](void* tag, bool) { finish(*static_cast<Call*>(tag)); });
    }
    shut_down(queue_);
    return tally_.to_json();
  }

 private:
  struct Call {
    std::optional<grpc::ClientContext> context;
    typename Rpc::Request request;
    typename Rpc::Response response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<typename Rpc::Response>> reader;
    SteadyTime intended;
  };

  void start_due(SteadyTime now) {
    while (!schedule_.is_over(started_, now)) {
      if (!schedule_.is_open() && in_flight_ >= in_flight_max_) return;
      const SteadyTime intended = schedule_.start_of(started_, now);
      if (intended > now) return;
      start(take(), intended);
      now = clock_.steady_now();
      tally_.late(intended, now);
    }
  }

  Call& take() {
    if (free_.empty()) {
      calls_.push_back(std::make_unique<Call>());
      return *calls_.back();
    }
    Call& call = *free_.back();
    free_.pop_back();
    return call;
  }

  void start(Call& call, SteadyTime intended) {
    call.intended = intended;
    call.context.emplace();
    call.context->set_deadline(deadline_in(kCallDeadline));
    Rpc::fill(source_, options_.items, call.request);
    Stub& stub = *stubs_[started_ % stubs_.size()];
    call.reader = Rpc::prepare(stub, *call.context, call.request, queue_);
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, &call);
    ++started_;
    ++in_flight_;
    tally_.sent(options_.items);
  }

  void finish(Call& call) {
    --in_flight_;
    if (call.status.ok()) {
      Rpc::count(call.response, tally_, call.intended, clock_.steady_now());
    } else {
      tally_.refused(call.status.error_code(), options_.items);
    }
    free_.push_back(&call);
  }

  const LoadOptions& options_;
  const base::Clock& clock_;
  std::vector<std::unique_ptr<Stub>> stubs_;
  RequestSource source_;
  Schedule schedule_;
  Tally tally_;
  grpc::CompletionQueue queue_;
  std::size_t in_flight_max_;
  std::size_t in_flight_ = 0;
  std::uint64_t started_ = 0;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<Call*> free_;
};

}  // namespace

std::string run_calls(const LoadOptions& options, const base::Clock& clock) {
  if (options.mode == Mode::batch) return CallLoad<Batch>(options, clock).run();
  LoadOptions one_each = options;
  one_each.items = 1;
  return CallLoad<Unary>(one_each, clock).run();
}

}  // namespace notify::bench
