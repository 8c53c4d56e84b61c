#include "edges/grpc/admin_rpc.hpp"

#include "edges/grpc/admin_messages.hpp"
#include "edges/grpc/wire.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using flows::Answer;
using flows::refuse;

/// Questions to the database for one page; each looks at so many notifications.
constexpr int kStretchesMax = 10;
constexpr std::int32_t kStretch = 2000;
/// Calls that can wait to arrive: an operator makes one after the other.
constexpr std::size_t kAdminListening = 2;

}  // namespace

AdminRpc::AdminRpc(RpcHost& host, RawAdminService& service, stores::DeadLetters& letters,
                   flows::Replay& replay)
    : host_(host),
      letters_(letters),
      list_(
          "ListDeadLetters", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestListDeadLetters(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return list(request, std::move(call)); }),
      replays_(host, replay,
               [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
                 service.RequestReplayNotifications(context, bytes, writer, queue, queue, tag);
               }) {}

void AdminRpc::start() {
  list_.start(kAdminListening);
  replays_.start();
}

async::Task<Answer<pb::ListDeadLettersResponse>> AdminRpc::list(
    const pb::ListDeadLettersRequest& request, RpcCall call) {
  rules::Violations violations;
  const auto filter = to_stores(request.filter(), host_.timers.clock().now(), violations);
  if (request.page_size() < 0 || request.page_size() > kPageMax) {
    violations.push_back({"page_size", "must be from 1 to 100, or 0 for 20"});
  }
  stores::DeadLetterStretch stretch;
  stretch.looked_at_max = kStretch;
  if (!request.page_token().empty()) {
    stretch.after = decode_page_token(request.page_token());
    if (!stretch.after) violations.push_back({"page_token", kPageTokenForm});
  }
  if (!violations.empty()) co_return refuse(std::move(violations));

  const std::int32_t size = request.page_size() == 0 ? kPageDefault : request.page_size();
  pb::ListDeadLettersResponse response;
  for (int i = 0; i < kStretchesMax && response.dead_letters_size() < size; ++i) {
    stretch.limit = size - response.dead_letters_size();
    const auto page = co_await letters_.find(filter, stretch, call.deadline);
    if (!page) co_return refuse(page.error());
    for (const auto& letter : page->letters) encode(letter, *response.add_dead_letters());
    response.set_looked_at(response.looked_at() + page->looked_at);
    stretch.after = page->next;
    if (!page->next) break;
  }
  if (stretch.after) response.set_next_page_token(encode_page_token(*stretch.after));
  co_return response;
}

}  // namespace notify::edges
