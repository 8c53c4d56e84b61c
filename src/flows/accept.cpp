#include "flows/accept.hpp"

namespace notify::flows {

Accept::Accept(Parts parts, const async::Executor& executor, async::OnEscape on_escape)
    : parts_(std::move(parts)), queueing_(executor, std::move(on_escape)) {}

async::Task<Answer<Accepted>> Accept::accept(rules::SendRequest request) {
  const base::NotificationId id(parts_.ids.next());
  auto checked = rules::validate(request, id, parts_.expiry);
  if (auto* violations = std::get_if<rules::Violations>(&checked)) {
    parts_.events.refused(base::Errc::invalid);
    co_return refuse(std::move(*violations));
  }
  auto& notification = std::get<rules::Notification>(checked);
  const Accepted accepted{id, notification.created_at(), notification.expires_at};

  const base::Expected<void> committed = co_await parts_.ledger.append(notification);
  if (!committed) {
    parts_.events.refused(committed.error().code);
    co_return refuse(committed.error());
  }
  parts_.events.accepted();
  // From here on the notification is safe, and so is the answer.
  queueing_.spawn(enqueue(std::move(notification)));
  co_return accepted;
}

async::Task<void> Accept::enqueue(rules::Notification notification) {
  const base::WallTime due_at = notification.created_at();
  const base::Expected<void> queued =
      co_await parts_.queue.enqueue({std::move(notification), due_at});
  if (queued) {
    parts_.wake_deliver();
  } else {
    parts_.events.not_queued();
  }
}

}  // namespace notify::flows
