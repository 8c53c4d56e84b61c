#include "edges/grpc/admin_messages.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "edges/grpc/wire.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using rules::Violations;

constexpr std::chrono::days kKept{30};  // attempts are
constexpr std::chrono::hours kFromDefault{24};
constexpr std::int64_t kExtendMaxSeconds = 28 * 24 * 3600;
constexpr std::int32_t kRateDefault = 200;
constexpr std::int32_t kRateMax = 10'000;

bool is_word(std::string_view text, std::size_t size_max) {
  return text.size() <= size_max && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool is_printable_ascii(std::string_view text, std::size_t size_max) {
  return text.size() <= size_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

template <class Id>
std::optional<Id> read_id(const std::string& text, const char* field, Violations& violations) {
  if (text.empty()) return std::nullopt;
  const auto id = Id::parse(text);
  if (!id) violations.push_back({field, kUuidForm});
  return id;
}

std::optional<base::WallTime> read_time(bool has, const google::protobuf::Timestamp& at,
                                        const char* field, Violations& violations) {
  if (!has) return std::nullopt;
  if (is_valid(at)) return net::to_wall_time(at);
  violations.push_back({field,
                        "is not a valid time: seconds since 1970, nanos from 0 to "
                        "999,999,999"});
  return std::nullopt;
}

void read_range(const pb::DeadLetterFilter& r, base::WallTime now, stores::DeadLetterFilter& filter,
                Violations& violations) {
  const std::size_t before = violations.size();
  const auto from = read_time(r.has_from(), r.from(), "filter.from", violations);
  const auto until = read_time(r.has_to(), r.to(), "filter.to", violations);
  filter.until = until.value_or(now);
  filter.from = from.value_or(std::min(filter.until, now) - kFromDefault);
  if (violations.size() > before) return;
  if (filter.from < now - kKept) {
    violations.push_back(
        {"filter.from", "must be at most 30 days ago: attempts are kept no longer"});
  }
  if (filter.from >= filter.until) {
    violations.push_back({"filter.from", "must be before filter.to, and before now"});
  }
}

/// One notification: its id tells the only millisecond to look at.
void read_single(const pb::DeadLetterFilter& r, base::WallTime now,
                 stores::DeadLetterFilter& filter, Violations& violations) {
  const auto id = filter.notification->uuid();
  if (r.has_from() || r.has_to()) {
    violations.push_back({"filter.notification_id",
                          "tells the time itself: filter.from and filter.to must not be set"});
  } else if (!id.is_v7() || id.instant() < now - kKept || id.instant() > now) {
    violations.push_back(
        {"filter.notification_id", "must be the id of a notification of the last 30 days"});
  } else {
    filter.from = id.instant();
    filter.until = filter.from + std::chrono::milliseconds(1);
  }
}

void check_text(const std::string& text, std::size_t min, std::size_t max, const char* field,
                Violations& violations) {
  const auto length = base::utf8_length(text);
  if (!length || *length < min || *length > max || base::find_control_character(text)) {
    violations.push_back({field, "must be text of " + std::to_string(min) + " to " +
                                     std::to_string(max) +
                                     " characters, without control "
                                     "characters"});
  }
}

}  // namespace

stores::DeadLetterFilter to_stores(const pb::DeadLetterFilter& r, base::WallTime now,
                                   Violations& violations) {
  stores::DeadLetterFilter filter;
  filter.notification =
      read_id<base::NotificationId>(r.notification_id(), "filter.notification_id", violations);
  if (filter.notification) {
    read_single(r, now, filter, violations);
  } else {
    read_range(r, now, filter, violations);
  }
  filter.user = read_id<base::UserId>(r.user_id(), "filter.user_id", violations);
  filter.provider = unless_empty(r.provider());
  if (!is_word(r.provider(), 20)) {
    violations.push_back({"filter.provider",
                          "must be lower-case letters, digits and underscores, "
                          "at most 20, as in \"apns\""});
  }
  filter.error_code = unless_empty(r.error_code());
  if (!is_printable_ascii(r.error_code(), 50)) {
    violations.push_back({"filter.error_code",
                          "must be at most 50 printable ASCII characters, as "
                          "in \"400 BadTopic\""});
  }
  filter.type = unless_empty(r.type());
  if (!is_word(r.type(), 50)) {
    violations.push_back({"filter.type",
                          "must be lower-case letters, digits and underscores, at "
                          "most 50"});
  }
  return filter;
}

flows::ReplayRequest to_flows(const pb::ReplayNotificationsRequest& r, base::WallTime now,
                              Violations& violations) {
  flows::ReplayRequest request;
  request.filter = to_stores(r.filter(), now, violations);
  request.dry_run = r.dry_run();
  if (r.has_extend()) {
    request.extend = std::chrono::seconds(r.extend().seconds());
    if (r.extend().seconds() < 60 || r.extend().seconds() > kExtendMaxSeconds) {
      violations.push_back({"extend", "must be from a minute to 28 days"});
    }
  }
  request.rate = r.rate() == 0 ? kRateDefault : r.rate();
  if (request.rate < 1 || request.rate > kRateMax) {
    violations.push_back({"rate", "must be from 1 to 10,000 a second, or 0 for 200"});
  }
  request.actor = r.actor();
  check_text(r.actor(), 1, 100, "actor", violations);
  request.reason = r.reason();
  check_text(r.reason(), 0, 500, "reason", violations);
  return request;
}

void encode(const stores::DeadLetter& letter, pb::DeadLetter& to) {
  to.set_notification_id(letter.id.to_string());
  to.set_user_id(letter.user.to_string());
  to.set_type(letter.type);
  net::set(to.mutable_created_at(), letter.id.uuid().instant());
  net::set(to.mutable_expires_at(), letter.expires_at);
  to.set_provider(letter.provider);
  to.set_error_code(letter.error_code);
  if (letter.attempted_at) net::set(to.mutable_attempted_at(), *letter.attempted_at);
  if (letter.replayed_at) net::set(to.mutable_replayed_at(), *letter.replayed_at);
  to.set_waiting(letter.waits);
}

void encode(const flows::ReplayProgress& progress, pb::ReplayNotificationsResponse& to) {
  to.set_job_id(progress.job.to_string());
  to.set_state(progress.state == flows::ReplayState::done ? pb::REPLAY_STATE_DONE
                                                          : pb::REPLAY_STATE_RUNNING);
  to.set_looked_at(progress.looked_at);
  to.set_matched(progress.matched);
  to.set_replayed(progress.counts.replayed);
  to.set_expired(progress.counts.expired);
  to.set_waiting(progress.counts.waiting);
  to.set_changed(progress.counts.changed);
  net::set(to.mutable_reached(), progress.reached);
}

}  // namespace notify::edges
