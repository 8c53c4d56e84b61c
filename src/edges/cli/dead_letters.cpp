#include "edges/cli/dead_letters.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "edges/cli/call.hpp"
#include "edges/cli/times.hpp"
#include "net/grpc/timestamp.hpp"
#include "notification/admin.grpc.pb.h"
#include "notification/notification.grpc.pb.h"

namespace notify::edges {
namespace {

namespace pb = notification;
using base::Errc;
using base::Expected;
using base::fail;

std::string line_of(const pb::DeadLetter& letter, base::WallTime now) {
  std::string line = base::to_rfc3339(net::to_wall_time(letter.created_at())) + "  " +
                     letter.notification_id() + "  " + letter.type() + "  " +
                     (letter.provider().empty() ? "-" : letter.provider()) + "  " +
                     letter.error_code();
  if (letter.waiting()) {
    line += "  (a replay is under way)";
  } else if (letter.has_replayed_at()) {
    line += "  (replayed at " + base::to_rfc3339(net::to_wall_time(letter.replayed_at())) + ")";
  }
  if (now >= net::to_wall_time(letter.expires_at())) line += "  (expired)";
  return line;
}

/// "ATTEMPT_STATUS_TOKEN_GONE" is "token gone" to people.
std::string words(std::string name, std::string_view prefix) {
  name.erase(0, prefix.size());
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = ' ';
  }
  return name;
}

void show(const pb::GetNotificationResponse& found, base::WallTime now, const Say& say) {
  const pb::Notification& n = found.notification();
  const base::WallTime expires_at = net::to_wall_time(n.expires_at());
  const std::string status = words(pb::NotificationStatus_Name(n.status()), "NOTIFICATION_STATUS_");
  say("notification " + n.notification_id() + " for user " + n.user_id());
  say("  type \"" + n.type() + "\", accepted at " +
      base::to_rfc3339(net::to_wall_time(n.created_at())) + ", expire" +
      (now >= expires_at ? "d at " : "s at ") + base::to_rfc3339(expires_at));
  std::vector<std::pair<base::WallTime, std::string>> events;
  for (const pb::DeliveryAttempt& a : found.attempts()) {
    std::string text = "try " + std::to_string(a.retry_count() + 1) + ", device " + a.device_id();
    if (!a.provider().empty()) text += ", " + a.provider();
    text += ": " + words(pb::AttemptStatus_Name(a.status()), "ATTEMPT_STATUS_");
    if (!a.error_code().empty()) text += " (" + a.error_code() + ": " + a.error_message() + ")";
    events.emplace_back(net::to_wall_time(a.attempted_at()), std::move(text));
  }
  for (const pb::NotificationReplay& replay : found.replays()) {
    events.emplace_back(net::to_wall_time(replay.replayed_at()),
                        "replayed by job " + replay.job_id());
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [at, text] : events) say("  " + base::to_rfc3339(at) + "  " + text);
  if (n.status() != pb::NOTIFICATION_STATUS_FAILED) {
    say("  => " + status + ": it is no dead letter");
  } else {
    say("  => failed; once the cause is mended: notification-service replay --id " +
        n.notification_id() + (now >= expires_at ? " --extend 1h" : ""));
  }
}

Expected<void> set_time(const std::string& text, base::WallTime now, const char* option,
                        google::protobuf::Timestamp* to) {
  const auto at = parse_instant(text, now);
  if (!at) return fail(Errc::invalid, std::string(option) + ": " + at.error().detail);
  net::set(to, *at);
  return {};
}

}  // namespace

std::string count_text(std::int64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

Expected<void> fill(const DeadLetterOptions& options, base::WallTime now,
                    pb::DeadLetterFilter& filter) {
  if (!options.from.empty()) {
    auto done = set_time(options.from, now, "--from", filter.mutable_from());
    if (!done) return done;
  }
  if (!options.to.empty()) {
    auto done = set_time(options.to, now, "--to", filter.mutable_to());
    if (!done) return done;
  }
  filter.set_provider(options.provider);
  filter.set_error_code(options.error_code);
  filter.set_user_id(options.user_id);
  filter.set_type(options.type);
  filter.set_notification_id(options.notification_id);
  return {};
}

Expected<void> list_dead_letters(const DeadLetterOptions& options, const Say& say) {
  const base::SystemClock clock;
  const base::WallTime now = clock.now();
  pb::ListDeadLettersRequest request;
  if (auto filled = fill(options, now, *request.mutable_filter()); !filled) return filled;
  const auto channel = channel_to(options.service);
  if (!channel) return fail(channel.error());
  const auto stub = pb::AdminService::NewStub(*channel);
  std::int32_t shown = 0;
  std::int64_t looked_at = 0;
  do {
    request.set_page_size(std::min(100, options.limit - shown));
    grpc::ClientContext context;
    set_deadline(context, clock, options.timeout);
    pb::ListDeadLettersResponse page;
    const grpc::Status status = stub->ListDeadLetters(&context, request, &page);
    if (!status.ok()) return fail(Errc::unavailable, describe(status));
    for (const pb::DeadLetter& letter : page.dead_letters()) say(line_of(letter, now));
    shown += page.dead_letters_size();
    looked_at += page.looked_at();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && shown < options.limit);
  say(count_text(shown, "dead letter") + " among " + count_text(looked_at, "notification") +
      (request.page_token().empty() ? ""
                                    : "; there may be more: raise --limit or narrow the time"));
  return {};
}

Expected<void> show_dead_letter(const DeadLetterOptions& options, const Say& say) {
  const base::SystemClock clock;
  const auto channel = channel_to(options.service);
  if (!channel) return fail(channel.error());
  const auto stub = pb::NotificationService::NewStub(*channel);
  grpc::ClientContext context;
  set_deadline(context, clock, options.timeout);
  pb::GetNotificationRequest request;
  request.set_notification_id(options.notification_id);
  pb::GetNotificationResponse found;
  const grpc::Status status = stub->GetNotification(&context, request, &found);
  if (!status.ok()) return fail(Errc::unavailable, describe(status));
  show(found, clock.now(), say);
  return {};
}

}  // namespace notify::edges
