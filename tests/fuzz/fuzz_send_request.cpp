// A caller's request, from its bytes to the notification that is stored and sent.

#include <grpcpp/support/byte_buffer.h>

#include "edges/grpc/decode.hpp"
#include "edges/grpc/messages.hpp"
#include "fuzz/input.hpp"
#include "rules/apns.hpp"
#include "rules/codec.hpp"
#include "rules/idempotency.hpp"
#include "rules/push_service.hpp"

namespace {

using namespace notify;

const base::NotificationId kId(base::uuid_v7_from(base::WallTime(std::chrono::hours(500'000)),
                                                  {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));

void check(const rules::SendRequest& request) {
  (void)rules::canonical_request(request);
  const auto checked = rules::validate(request, kId, {});
  if (const auto* violations = std::get_if<rules::Violations>(&checked)) {
    fuzz::require(!violations->empty(), "a refusal says why");
    for (const rules::Violation& violation : *violations) {
      fuzz::require(!violation.field.empty() && violation.field.size() < 200 &&
                        !violation.description.empty(),
                    "a violation names its field and what is wrong");
    }
    return;
  }
  const auto& notification = std::get<rules::Notification>(checked);
  for (const rules::PushService& service : rules::push_services()) {
    fuzz::require(service.least_payload(notification) <= service.payload_max,
                  "what was accepted can be sent by each push service");
  }
  fuzz::require(rules::apns_payload(notification, {}, {}).size() <= rules::kApnsPayloadMax,
                "texts are cut to Apple's limit");
  const auto again = rules::decode_queue_item(rules::encode_queue_item(notification));
  fuzz::require(again.has_value(), "what was accepted can be queued");
}

/// The same bytes as a message of a stream: an item that cannot be read is told of in its place.
void check_items(const std::uint8_t* data, std::size_t size) {
  grpc::Slice slice(data, size);
  grpc::ByteBuffer bytes(&slice, 1);
  notification::StreamNotificationsRequest message;
  edges::SpoiltItems spoilt;
  const auto& item = *notification::SendNotificationRequest::descriptor();
  if (edges::decode_items(bytes, message, item, spoilt)) return;
  for (const auto& [place, violations] : spoilt) {
    fuzz::require(place < static_cast<std::size_t>(message.items_size()) && !violations.empty(),
                  "a spoilt item has its place, and a reason");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_items(data, size);
  grpc::Slice slice(data, size);
  grpc::ByteBuffer bytes(&slice, 1);
  notification::SendNotificationRequest message;
  if (const auto violations = edges::decode(bytes, message)) {
    fuzz::require(!violations->empty(), "bytes that cannot be read are refused by name");
    return 0;
  }
  check(edges::to_rules(message));
  return 0;
}
