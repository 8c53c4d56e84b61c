#include "stores/pg_ledger_queries.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "rules/codec.hpp"
#include "stores/pg_ledger_sql.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using rules::Notification;

/// How far ahead of this node's clock another's may be (D-5 allows two seconds).
constexpr std::chrono::seconds kSkewMax{5};

pg::Params columns(std::initializer_list<const pg::Array*> arrays) {
  pg::Params params;
  for (const pg::Array* array : arrays) params.array(*array);
  return params;
}

pg::Params key_columns(const std::vector<Submission>& batch) {
  using pg::Type;
  const std::size_t size = batch.size();
  pg::Array ids(Type::uuid, size), created(Type::timestamp, size), callers(Type::text, size),
      keys(Type::bytea, size), requests(Type::bytea, size), are_explicit(Type::boolean, size);
  for (const Submission& submission : batch) {
    const rules::Idempotency& idempotency = submission.idempotency;
    ids.id(submission.notification.id);
    created.timestamp(submission.notification.created_at());
    callers.text(idempotency.caller);
    keys.bytes(idempotency.key);
    requests.bytes(idempotency.request);
    are_explicit.boolean(idempotency.is_explicit);
  }
  return columns({&ids, &created, &callers, &keys, &requests, &are_explicit});
}

void add_history_columns(pg::Params& params, const std::vector<Submission>& batch) {
  using pg::Type;
  const std::size_t size = batch.size();
  pg::Array users(Type::uuid, size), conversations(Type::uuid, size), messages(Type::uuid, size),
      types(Type::text, size), titles(Type::text, size), bodies(Type::text, size),
      payloads(Type::jsonb, size), metadata(Type::jsonb, size), statuses(Type::text, size),
      priorities(Type::text, size), expires(Type::timestamp, size);
  for (const Submission& submission : batch) {
    const Notification& n = submission.notification;
    users.id(n.user);
    conversations.id(n.conversation);
    messages.id(n.message);
    types.text(n.type);
    titles.text(n.title);
    bodies.text(n.body);
    payloads.json(rules::encode_presentation(n.presentation));
    metadata.json(rules::encode_metadata(n, submission.decision));
    statuses.text(rules::name(submission.status));
    priorities.text(rules::name(n.priority));
    expires.timestamp(n.expires_at);
  }
  for (const pg::Array* column : {&users, &conversations, &messages, &types, &titles, &bodies,
                                  &payloads, &metadata, &statuses, &priorities, &expires}) {
    params.array(*column);
  }
}

void add_due_columns(pg::Params& params, const std::vector<Submission>& batch) {
  pg::Array due_at(pg::Type::timestamp, batch.size()), reasons(pg::Type::text, batch.size());
  for (const Submission& submission : batch) {
    due_at.timestamp(submission.due ? std::optional(submission.due->at) : std::nullopt);
    if (submission.due) {
      reasons.text(name(submission.due->reason));
    } else {
      reasons.null();
    }
  }
  params.array(due_at).array(reasons);
}

/// Texts of an outcome partly come from a peer. A record that PostgreSQL refuses would be written
/// again and again, so they are made fit here: at most `bytes_max` of printable ASCII.
std::optional<std::string> fit(const std::string& text, std::size_t bytes_max) {
  std::string fitting = text.substr(0, bytes_max);
  for (char& c : fitting) {
    if (c < ' ' || c > '~') c = '?';
  }
  return fitting.empty() ? std::nullopt : std::optional(std::move(fitting));
}

constexpr std::size_t kErrorCodeMax = 50;  // the column's width
constexpr std::size_t kErrorMessageMax = 500;

/// An attempt and what it is one of.
struct Tried {
  const rules::Attempt* attempt;
  base::NotificationId notification;
};

/// Of several outcomes of one try, the one that kInsertAttempts would leave if they came one by
/// one.
int weight(rules::AttemptStatus status) {
  if (status == rules::AttemptStatus::delivered) return 2;
  return rules::is_final(status) ? 1 : 0;
}

/// All attempts of a batch, by id, each once.
std::vector<Tried> attempts_of(const std::vector<DeliveryRecord>& batch) {
  std::vector<Tried> all;
  for (const DeliveryRecord& record : batch) {
    for (const rules::Attempt& attempt : record.attempts) {
      all.push_back({&attempt, record.notification});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Tried& a, const Tried& b) {
    if (a.attempt->id != b.attempt->id) return a.attempt->id < b.attempt->id;
    return weight(a.attempt->status) > weight(b.attempt->status);
  });
  const auto same = [](const Tried& a, const Tried& b) { return a.attempt->id == b.attempt->id; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

pg::Params attempt_params(const std::vector<Tried>& tried) {
  using pg::Type;
  const std::size_t size = tried.size();
  pg::Array ids(Type::uuid, size), notifications(Type::uuid, size), devices(Type::uuid, size),
      statuses(Type::text, size), codes(Type::text, size), messages(Type::text, size),
      retries(Type::int4, size), attempted(Type::timestamp, size), next(Type::timestamp, size),
      providers(Type::text, size);
  for (const auto& [attempt, notification] : tried) {
    ids.id(attempt->id);
    notifications.id(notification);
    devices.id(attempt->device);
    statuses.text(rules::name(attempt->status));
    codes.text(fit(attempt->error_code, kErrorCodeMax));
    messages.text(fit(attempt->error_message, kErrorMessageMax));
    retries.int32(attempt->retry_count);
    attempted.timestamp(attempt->attempted_at);
    next.timestamp(attempt->next_retry_at);
    providers.text(attempt->provider.empty() ? std::nullopt : std::optional(attempt->provider));
  }
  return columns({&ids, &notifications, &devices, &statuses, &codes, &messages, &retries,
                  &attempted, &next, &providers});
}

/// The instant that a change of status sets, or NULL.
std::optional<base::WallTime> at_if(const DeliveryRecord& record,
                                    std::initializer_list<rules::Status> statuses) {
  for (const rules::Status status : statuses) {
    if (record.status == status) return record.at;
  }
  return std::nullopt;
}

pg::Params status_params(const std::vector<const DeliveryRecord*>& changed) {
  using pg::Type;
  using rules::Status;
  const std::size_t size = changed.size();
  pg::Array ids(Type::uuid, size), created(Type::timestamp, size), statuses(Type::text, size),
      sent(Type::timestamp, size), delivered(Type::timestamp, size), expired(Type::timestamp, size);
  for (const DeliveryRecord* record : changed) {
    ids.id(record->notification);
    created.timestamp(record->notification.uuid().instant());
    statuses.text(rules::name(*record->status));
    sent.timestamp(at_if(*record, {Status::sent, Status::delivered}));
    delivered.timestamp(at_if(*record, {Status::delivered}));
    expired.timestamp(at_if(*record, {Status::expired}));
  }
  const Instants bounds = instants_of(changed, [](auto* record) { return record->notification; });
  pg::Params params = columns({&ids, &created, &statuses, &sent, &delivered, &expired});
  params.timestamp(bounds.first).timestamp(bounds.last);
  return params;
}

/// Why those of a batch that were not tried were not.
std::optional<pg::Query> decision_query(const std::vector<const DeliveryRecord*>& sorted) {
  using pg::Type;
  std::vector<const DeliveryRecord*> decided;
  for (const DeliveryRecord* record : sorted) {
    if (!record->decision.empty()) decided.push_back(record);
  }
  if (decided.empty()) return std::nullopt;
  pg::Array ids(Type::uuid), created(Type::timestamp), decisions(Type::jsonb),
      expires(Type::timestamp), statuses(Type::text);
  for (const DeliveryRecord* record : decided) {
    ids.id(record->notification);
    created.timestamp(record->notification.uuid().instant());
    decisions.json(record->decision);
    expires.timestamp(record->expires_at);
    if (record->status) {
      statuses.text(rules::name(*record->status));
    } else {
      statuses.null();
    }
  }
  const Instants bounds = instants_of(decided, [](auto* record) { return record->notification; });
  pg::Params params = columns({&ids, &created, &decisions, &expires, &statuses});
  params.timestamp(bounds.first).timestamp(bounds.last);
  return pg::Query{sql::kUpdateDecision, std::move(params)};
}

}  // namespace

pg::Query append_query(const std::vector<Submission>& batch) {
  const Instants bounds = instants_of(batch, [](const Submission& s) { return s.notification.id; });
  pg::Params params = key_columns(batch);
  params.timestamp(bounds.first - rules::kIdempotencyWindow)
      .timestamp(base::WallTime(std::chrono::floor<std::chrono::days>(bounds.last)));
  add_history_columns(params, batch);
  const bool some_wait = std::any_of(batch.begin(), batch.end(),
                                     [](const Submission& s) { return s.due.has_value(); });
  if (!some_wait) return {sql::kAppend, std::move(params)};
  add_due_columns(params, batch);
  return {sql::kAppendWithDue, std::move(params)};
}

pg::Query find_keys_query(const std::vector<Submission>& batch,
                          const std::vector<std::size_t>& places) {
  using pg::Type;
  const std::size_t size = places.size();
  pg::Array created(Type::timestamp, size), callers(Type::text, size), keys(Type::bytea, size),
      requests(Type::bytea, size);
  for (const std::size_t place : places) {
    const rules::Idempotency& idempotency = batch[place].idempotency;
    created.timestamp(batch[place].notification.created_at());
    callers.text(idempotency.caller);
    keys.bytes(idempotency.key);
    requests.bytes(idempotency.request);
  }
  const Instants bounds =
      instants_of(places, [&](std::size_t place) { return batch[place].notification.id; });
  pg::Params params = columns({&created, &callers, &keys, &requests});
  params.timestamp(bounds.first - rules::kIdempotencyWindow).timestamp(bounds.last + kSkewMax);
  return {sql::kFindKeys, std::move(params)};
}

std::vector<pg::Query> record_queries(const std::vector<DeliveryRecord>& batch) {
  using pg::Type;
  // In one order, so that two batches that lock the same rows cannot deadlock.
  std::vector<const DeliveryRecord*> sorted;
  sorted.reserve(batch.size());
  for (const DeliveryRecord& record : batch) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->notification < b->notification; });
  std::vector<const DeliveryRecord*> changed;
  pg::Array due_ids(Type::uuid), due_at(Type::timestamp), due_reasons(Type::text),
      due_details(Type::text), done_ids(Type::uuid);
  for (const DeliveryRecord* record : sorted) {
    if (record->status) changed.push_back(record);
    if (record->due) {
      due_ids.id(record->notification);
      due_at.timestamp(record->due->at);
      due_reasons.text(name(record->due->reason));
      due_details.text(fit(record->due->detail, kErrorMessageMax));
    } else if (record->was_due) {
      done_ids.id(record->notification);
    }
  }
  std::vector<pg::Query> queries;
  const std::vector<Tried> tried = attempts_of(batch);
  if (!tried.empty()) queries.push_back({sql::kInsertAttempts, attempt_params(tried)});
  if (auto decisions = decision_query(sorted)) queries.push_back(std::move(*decisions));
  if (!changed.empty()) queries.push_back({sql::kUpdateStatus, status_params(changed)});
  if (due_ids.size() > 0) {
    queries.push_back({sql::kUpsertDue, columns({&due_ids, &due_at, &due_reasons, &due_details})});
  }
  if (done_ids.size() > 0) queries.push_back({sql::kDeleteDue, columns({&done_ids})});
  return queries;
}

}  // namespace notify::stores
