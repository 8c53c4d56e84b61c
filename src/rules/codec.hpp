#pragma once
// The one canonical encoding of a notification, for the columns `payload` and `metadata` and for
// the queue. Equal notifications give equal bytes: a queue item is a member of a sorted set, and
// putting it in again must find the one that is there.

#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "rules/decision.hpp"
#include "rules/notification.hpp"

namespace notify::rules {

[[nodiscard]] std::string encode_presentation(const Presentation& presentation);
[[nodiscard]] base::Expected<Presentation> decode_presentation(std::string_view json);

/// The column `metadata`; written once, with the row. `decision` is JSON, or empty.
[[nodiscard]] std::string encode_metadata(const Notification& notification,
                                          std::string_view decision);
/// What was decided when it was accepted, and what was decided last, if that was later.
struct RecordedDecisions {
  std::optional<RecordedDecision> first;
  std::optional<RecordedDecision> later;

  /// The last word on it; unset: nothing is recorded.
  [[nodiscard]] const std::optional<RecordedDecision>& last() const {
    return later ? later : first;
  }
  [[nodiscard]] bool is_by(Rule rule) const { return last() && last()->by == name(rule); }
};
/// That a caller had it removed from the devices.
struct RetractionMark {
  base::WallTime at;
  std::optional<base::NotificationId> by;  ///< the retraction; unset: no device had it
  std::string caller;                      ///< the identity; empty: not authenticated

  friend bool operator==(const RetractionMark&, const RetractionMark&) = default;
};
/// The column `metadata`, at "retracted".
[[nodiscard]] std::string encode_mark(const RetractionMark& mark);
struct Metadata {
  std::map<std::string, std::string> labels;
  std::optional<TemplateUsed> template_used;
  std::optional<base::WallTime> deliver_at;
  std::optional<base::WallTime> cancelled_at;
  std::optional<RetractionMark> retracted;
  RecordedDecisions decisions;
};
[[nodiscard]] base::Expected<Metadata> decode_metadata(std::string_view json);

/// `{"v":1,"id":"<uuid>","user":"<uuid>",...`: version, id and user stand at fixed places, so that
/// the queue's scripts need no JSON. Holds what delivery needs, and never a token. A reader ignores
/// keys it does not know; a change that an older reader would get wrong raises the version.
inline constexpr std::int64_t kQueueItemVersion = 1;
inline constexpr std::size_t kQueueItemVersionOffset = 5;  // one digit
inline constexpr std::size_t kQueueItemIdOffset = 13;
inline constexpr std::size_t kQueueItemUserOffset = 59;
[[nodiscard]] std::string encode_queue_item(const Notification& notification);
/// Errors: Errc::corrupt, also for a version this program does not know.
[[nodiscard]] base::Expected<Notification> decode_queue_item(std::string_view json);

}  // namespace notify::rules
