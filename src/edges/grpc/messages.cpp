#include "edges/grpc/messages.hpp"

#include "edges/grpc/status.hpp"
#include "edges/grpc/wire.hpp"
#include "net/grpc/timestamp.hpp"
#include "rules/checker.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;

pb::Priority to_wire(rules::Priority priority) {
  switch (priority) {
    case rules::Priority::high: return pb::PRIORITY_HIGH;
    case rules::Priority::medium: return pb::PRIORITY_MEDIUM;
    case rules::Priority::low: return pb::PRIORITY_LOW;
  }
  return pb::PRIORITY_UNSPECIFIED;
}

pb::NotificationStatus to_wire(rules::Status status) {
  switch (status) {
    case rules::Status::pending: return pb::NOTIFICATION_STATUS_PENDING;
    case rules::Status::deferred: return pb::NOTIFICATION_STATUS_DEFERRED;
    case rules::Status::sent: return pb::NOTIFICATION_STATUS_SENT;
    case rules::Status::delivered: return pb::NOTIFICATION_STATUS_DELIVERED;
    case rules::Status::opened: return pb::NOTIFICATION_STATUS_OPENED;
    case rules::Status::failed: return pb::NOTIFICATION_STATUS_FAILED;
    case rules::Status::expired: return pb::NOTIFICATION_STATUS_EXPIRED;
    case rules::Status::suppressed: return pb::NOTIFICATION_STATUS_SUPPRESSED;
    case rules::Status::cancelled: return pb::NOTIFICATION_STATUS_CANCELLED;
    case rules::Status::superseded: return pb::NOTIFICATION_STATUS_SUPERSEDED;
  }
  return pb::NOTIFICATION_STATUS_UNSPECIFIED;
}

pb::AttemptStatus to_wire(rules::AttemptStatus status) {
  switch (status) {
    case rules::AttemptStatus::delivered: return pb::ATTEMPT_STATUS_DELIVERED;
    case rules::AttemptStatus::token_gone: return pb::ATTEMPT_STATUS_TOKEN_GONE;
    case rules::AttemptStatus::failed: return pb::ATTEMPT_STATUS_FAILED;
    case rules::AttemptStatus::retry: return pb::ATTEMPT_STATUS_RETRY;
    case rules::AttemptStatus::unknown: return pb::ATTEMPT_STATUS_UNKNOWN;
  }
  return pb::ATTEMPT_STATUS_UNSPECIFIED;
}

void encode(const rules::RecordedDecision& decision, const rules::Notification& n,
            pb::Decision& to) {
  net::set(to.mutable_decided_at(), decision.at.value_or(n.created_at()));
  to.set_verdict(static_cast<pb::Verdict>(decision.verdict));
  to.set_rule(decision.by);
  if (decision.until) net::set(to.mutable_until(), *decision.until);
  for (const auto& reason : rules::all_reasons(n, decision)) {
    pb::DecisionReason& shown = *to.add_reasons();
    shown.set_rule(reason.rule);
    shown.set_result(reason.result);
    shown.set_input(reason.input);
  }
}

}  // namespace

rules::SendRequest to_rules(const pb::SendNotificationRequest& r) {
  rules::SendRequest request;
  request.user_id = r.user_id();
  request.conversation_id = r.conversation_id();
  request.message_id = r.message_id();
  request.type = r.type();
  request.title = r.title();
  request.body = r.body();
  request.data = to_pairs(r.data());
  request.priority = r.priority();
  if (r.has_expires_at() && is_valid(r.expires_at())) {
    request.expires_at = net::to_wall_time(r.expires_at()).time_since_epoch();
  } else {
    request.expires_at_malformed = r.has_expires_at();
  }
  if (r.has_deliver_at() && is_valid(r.deliver_at())) {
    request.deliver_at = net::to_wall_time(r.deliver_at()).time_since_epoch();
  } else {
    request.deliver_at_malformed = r.has_deliver_at();
  }
  request.collapse_id = r.collapse_id();
  if (r.has_badge()) request.badge = r.badge();
  request.sound = r.sound();
  request.category = r.category();
  request.mutable_content = r.mutable_content();
  request.background = r.background();
  request.labels = to_pairs(r.labels());
  request.idempotency_key = r.idempotency_key();
  request.mention = r.mention();
  if (r.has_template_()) {
    const pb::TemplateUse& use = r.template_();
    request.template_use = rules::TemplateUse{use.name(), use.locale(), to_pairs(use.variables())};
  }
  return request;
}

base::Expected<std::optional<flows::RetractOrder>, rules::Violations> to_retraction(
    const pb::CancelNotificationRequest& r) {
  rules::Checker check;
  flows::RetractOrder order;
  const bool by_id = !r.has_of_message() && !r.has_of_conversation();
  if (by_id) {
    order.notification = check.id<base::NotificationId>("notification_id", r.notification_id());
    if (r.has_badge() && !r.remove_shown()) {
      check.add("badge", "must not be set without `remove_shown`: no device would be told");
    }
  } else if (r.remove_shown()) {
    check.add("remove_shown", "must not be set with a selector, which always removes");
  }
  const auto read_user = [&](const char* field, const std::string& id) {
    if (const auto user = check.id<base::UserId>(field, id)) order.scope.user = *user;
  };
  if (r.has_of_message()) {
    read_user("of_message.user_id", r.of_message().user_id());
    order.scope.message =
        check.id<base::MessageId>("of_message.message_id", r.of_message().message_id());
  } else if (r.has_of_conversation()) {
    const pb::ConversationSelector& wanted = r.of_conversation();
    read_user("of_conversation.user_id", wanted.user_id());
    order.scope.conversation =
        check.id<base::ConversationId>("of_conversation.conversation_id", wanted.conversation_id());
    if (!wanted.up_to_message_id().empty()) {
      order.up_to =
          check.id<base::MessageId>("of_conversation.up_to_message_id", wanted.up_to_message_id());
    }
  }
  if (r.has_badge()) order.badge = r.badge();
  if (order.badge && !rules::is_badge(*order.badge)) check.add("badge", rules::kBadgeForm);
  if (!check.ok()) return base::Unexpected(std::move(check).take());
  if (by_id && !r.remove_shown()) return std::optional<flows::RetractOrder>();
  return std::optional(order);
}

void encode(const stores::HistoryRecord& record, pb::Notification& to) {
  const rules::Notification& n = record.notification;
  to.set_notification_id(n.id.to_string());
  to.set_user_id(n.user.to_string());
  if (n.conversation) to.set_conversation_id(n.conversation->to_string());
  if (n.message) to.set_message_id(n.message->to_string());
  to.set_type(n.type);
  to.set_title(n.title);
  to.set_body(n.body);
  for (const auto& [key, value] : n.presentation.data) (*to.mutable_data())[key] = value;
  to.set_priority(to_wire(n.priority));
  to.set_status(to_wire(record.status));
  net::set(to.mutable_created_at(), n.created_at());
  net::set(to.mutable_expires_at(), n.expires_at);
  if (record.sent_at) net::set(to.mutable_sent_at(), *record.sent_at);
  if (record.delivered_at) net::set(to.mutable_delivered_at(), *record.delivered_at);
  if (record.opened_at) net::set(to.mutable_opened_at(), *record.opened_at);
  if (record.expired_at) net::set(to.mutable_expired_at(), *record.expired_at);
  for (const auto& [key, value] : n.labels) (*to.mutable_labels())[key] = value;
  to.set_mention(n.presentation.mention);
  const rules::RecordedDecisions& decisions = record.decisions;
  if (decisions.first) encode(*decisions.first, n, *to.mutable_decision());
  if (decisions.later) encode(*decisions.later, n, *to.mutable_later_decision());
  if (n.template_used) {
    to.mutable_template_()->set_name(n.template_used->name);
    to.mutable_template_()->set_revision(n.template_used->revision);
    to.mutable_template_()->set_locale(n.template_used->locale);
  }
  if (n.deliver_at) net::set(to.mutable_deliver_at(), *n.deliver_at);
  if (record.cancelled_at) net::set(to.mutable_cancelled_at(), *record.cancelled_at);
  if (record.retracted) {
    net::set(to.mutable_retraction()->mutable_retracted_at(), record.retracted->at);
    if (record.retracted->by) {
      to.mutable_retraction()->set_retraction_id(record.retracted->by->to_string());
    }
    to.mutable_retraction()->set_caller(record.retracted->caller);
  }
  for (const rules::Retracted& one : n.presentation.retracts) {
    to.add_retracted_ids(one.id.to_string());
  }
}

void encode(const rules::Attempt& attempt, pb::DeliveryAttempt& to) {
  to.set_attempt_id(attempt.id.to_string());
  to.set_device_id(attempt.device.to_string());
  to.set_status(to_wire(attempt.status));
  to.set_error_code(attempt.error_code);
  to.set_error_message(attempt.error_message);
  to.set_retry_count(attempt.retry_count);
  net::set(to.mutable_attempted_at(), attempt.attempted_at);
  if (attempt.next_retry_at) net::set(to.mutable_next_retry_at(), *attempt.next_retry_at);
  to.set_provider(attempt.provider);
}

void encode(const stores::Replay& replay, pb::NotificationReplay& to) {
  net::set(to.mutable_replayed_at(), replay.at);
  to.set_job_id(replay.job.to_string());
}

void encode(const flows::Cancelled& cancelled, pb::CancelNotificationResponse& to) {
  to.set_result(static_cast<pb::CancelResult>(cancelled.result));
  to.set_status(to_wire(cancelled.status));
}

void encode(const flows::Retracting& retracting, pb::CancelNotificationResponse& to) {
  to.set_withdrawn(static_cast<std::int32_t>(retracting.withdrawn));
  to.set_removed(static_cast<std::int32_t>(retracting.removed));
  for (const base::NotificationId id : retracting.retractions) {
    to.add_retraction_ids(id.to_string());
  }
  to.set_has_more(retracting.has_more);
}

void encode(const flows::Accepted& accepted, pb::SendNotificationResponse& to) {
  to.set_notification_id(accepted.id.to_string());
  to.set_status(to_wire(accepted.status));
  net::set(to.mutable_created_at(), accepted.created_at());
  net::set(to.mutable_expires_at(), accepted.expires_at);
  to.set_is_repeat(accepted.is_repeat);
}

void encode(const flows::Answer<flows::Accepted>& answer, pb::SendNotificationResult& to) {
  if (answer) {
    encode(*answer, *to.mutable_accepted());
  } else {
    encode(answer.error(), *to.mutable_error());
  }
}

}  // namespace notify::edges
