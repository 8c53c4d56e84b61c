#include "stores/redis_queue.hpp"

#include <algorithm>
#include <utility>

#include "rules/codec.hpp"
#include "stores/redis_queue_scripts.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using redis::Command;
using redis::Reply;

constexpr std::string_view kNodes = "notification:nodes";
constexpr std::int64_t kQueueTtlSeconds = 24 * 3600;  // SPEC §4, renewed by each enqueue

std::string inflight_key(rules::Priority priority, std::string_view node) {
  return "{" + queue_key(priority) + "}:inflight:" + std::string(node);
}

std::string suspect_key(rules::Priority priority) {
  return "{" + queue_key(priority) + "}:suspect";
}

std::string heartbeat_key(std::string_view node) {
  return "notification:node:" + std::string(node);
}

/// The first error among the replies of a pipeline.
Expected<async::Unit> first_error(const Expected<std::vector<Reply>>& replies) {
  if (!replies) return fail(replies.error());
  for (const Reply& reply : *replies) {
    if (reply.is_error()) return fail(reply.to_error());
  }
  return async::Unit{};
}

Expected<void> to_void(const Expected<Reply>& reply) {
  if (!reply) return fail(reply.error());
  return {};
}

Expected<std::size_t> to_count(const Expected<Reply>& reply) {
  if (!reply) return fail(reply.error());
  const auto count = reply->as_integer();
  if (!count) return fail(count.error());
  return static_cast<std::size_t>(*count);
}

}  // namespace

std::string queue_key(rules::Priority priority) {
  return "notification:queue:" + std::string(rules::name(priority));
}

std::int64_t queue_score(base::WallTime due_at, rules::Priority priority) {
  return due_at.time_since_epoch().count() * 4 + static_cast<std::int64_t>(priority);
}

RedisQueue::RedisQueue(redis::Client& redis, async::Timers& timers, Options options,
                       const async::OnEscape& on_escape)
    : redis_(redis),
      timers_(timers),
      options_(std::move(options)),
      enqueues_(timers,
                {.batch_max = options_.batch_max,
                 .flights_max = 4,
                 .waiting_max = options_.waiting_max,
                 .interval = options_.batch_interval},
                on_escape,
                [this](std::vector<QueueItem> batch) { return enqueue_batch(std::move(batch)); }),
      acks_(timers,
            {.batch_max = options_.batch_max,
             .flights_max = 4,
             .waiting_max = options_.waiting_max,
             .interval = options_.batch_interval},
            on_escape, [this](std::vector<LeaseKey> batch) { return ack_batch(std::move(batch)); }),
      leases_(timers.executor(), on_escape),
      repairs_(timers.executor(), on_escape) {
  for (const rules::Priority priority : rules::kPriorities) {
    keys_[static_cast<std::size_t>(priority)] = {
        queue_key(priority), inflight_key(priority, options_.node), suspect_key(priority)};
  }
}

async::Task<void> RedisQueue::stop() {
  co_await enqueues_.stop();
  co_await acks_.stop();
  co_await leases_.join();
  co_await repairs_.join();
}

async::Task<Expected<void>> RedisQueue::ack(LeaseKey key) {
  auto done = co_await acks_.submit(key);
  if (!done) co_return fail(std::move(done).error());
  co_return Expected<void>();
}

/// One ZADD for each priority, and its time to live renewed.
async::Task<RedisQueue::Results> RedisQueue::enqueue_batch(std::vector<QueueItem> batch) {
  std::vector<Command> commands;
  for (const rules::Priority priority : rules::kPriorities) {
    Command add("ZADD");
    add.key(keys(priority).queue).arg("NX");
    bool any = false;
    for (const QueueItem& item : batch) {
      if (item.notification.priority != priority) continue;
      add.arg(queue_score(item.due_at, priority)).arg(rules::encode_queue_item(item.notification));
      any = true;
    }
    if (!any) continue;
    commands.push_back(std::move(add));
    commands.push_back(Command("EXPIRE").key(keys(priority).queue).arg(kQueueTtlSeconds));
  }
  const auto replies =
      co_await redis_.pipeline(std::move(commands), timers_.after(options_.timeout));
  co_return Results(batch.size(), first_error(replies));
}

async::Task<RedisQueue::Results> RedisQueue::ack_batch(std::vector<LeaseKey> batch) {
  const base::Deadline deadline = timers_.after(options_.timeout);
  Expected<async::Unit> result = async::Unit{};
  for (const rules::Priority priority : rules::kPriorities) {
    std::vector<std::string> ids;
    for (const LeaseKey& key : batch) {
      if (key.priority == priority) ids.push_back(key.notification.to_string());
    }
    if (ids.empty()) continue;
    const auto acked = co_await redis_.run(
        scripts::kAck, {keys(priority).inflight, keys(priority).suspect}, std::move(ids), deadline);
    if (!acked) result = fail(acked.error());
  }
  co_return Results(batch.size(), result);
}

/// What one priority is asked for; all are asked at once.
struct RedisQueue::Share {
  rules::Priority priority;
  std::size_t count;
  std::size_t& running;
  async::OneShot<async::Unit>& all_done;
  std::optional<Expected<std::vector<Lease>>> result;
};

/// Mostly one round. While less than half has come and somebody has more, the shares were wrong:
/// the next round is by what this one has shown.
async::Task<Expected<std::vector<Lease>>> RedisQueue::lease(std::size_t max,
                                                            base::Deadline deadline) {
  std::vector<Lease> leases;
  for (;;) {
    auto more = co_await lease_round(max - leases.size(), deadline);
    if (!more) {
      // What was leased before the failure is ours and must be worked on.
      if (leases.empty()) co_return fail(std::move(more).error());
      co_return leases;
    }
    leases.insert(leases.end(), std::make_move_iterator(more->begin()),
                  std::make_move_iterator(more->end()));
    const bool plenty = std::find(hungry_.begin(), hungry_.end(), true) != hungry_.end();
    if (more->empty() || !plenty || 2 * leases.size() >= max) co_return leases;
  }
}

async::Task<Expected<std::vector<Lease>>> RedisQueue::lease_round(std::size_t max,
                                                                  base::Deadline deadline) {
  const LeaseShares counts = lease_shares(max, hungry_, turn_++);
  std::size_t running = 1;  // this one, until all have been started
  async::OneShot<async::Unit> all_done(timers_.executor());
  std::vector<Share> shares;
  for (const rules::Priority priority : rules::kPriorities) {
    const std::size_t count = counts[static_cast<std::size_t>(priority)];
    if (count > 0) shares.push_back({priority, count, running, all_done, std::nullopt});
  }
  for (Share& share : shares) {
    ++running;
    if (!leases_.spawn(lease_share(share, deadline))) --running;
  }
  if (--running > 0) co_await all_done.wait();

  std::vector<Lease> leases;
  std::optional<base::Error> error;
  for (Share& share : shares) {
    if (!share.result || !*share.result) {
      error = share.result ? share.result->error() : base::Error{Errc::cancelled, "stopping"};
      continue;
    }
    std::vector<Lease>& some = **share.result;
    hungry_[static_cast<std::size_t>(share.priority)] = some.size() >= share.count;
    leases.insert(leases.end(), std::make_move_iterator(some.begin()),
                  std::make_move_iterator(some.end()));
  }
  // What was leased beside a failure is ours and must be worked on.
  if (leases.empty() && error) co_return fail(*error);
  co_return leases;
}

async::Task<void> RedisQueue::lease_share(Share& share, base::Deadline deadline) {
  share.result = co_await lease_from(share.priority, share.count, deadline);
  if (--share.running == 0) share.all_done.complete({});
}

async::Task<Expected<std::vector<Lease>>> RedisQueue::lease_from(rules::Priority priority,
                                                                 std::size_t max,
                                                                 base::Deadline deadline) {
  // Everything due by the end of this millisecond, whatever its priority's digit.
  const std::int64_t highest = timers_.clock().now().time_since_epoch().count() * 4 + 3;
  const Keys& k = keys(priority);
  auto reply = co_await redis_.run(scripts::kLease, {k.queue, k.inflight, k.suspect},
                                   {std::to_string(highest), std::to_string(max)}, deadline);
  if (!reply) co_return fail(std::move(reply).error());
  std::vector<Lease> leases;
  const std::vector<Reply>& parts = reply->elements();
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    const auto member = parts[i].as_text();
    const auto suspect = parts[i + 1].as_text();
    if (!member || !suspect) co_return fail(Errc::corrupt, "the lease script answered oddly");
    auto notification = rules::decode_queue_item(*member);
    if (!notification) {
      drop_corrupt(priority, *member, notification.error());
      continue;
    }
    leases.push_back({std::move(*notification), *suspect == "1"});
  }
  co_return leases;
}

/// An item that cannot be read must not come back for ever; its row in PostgreSQL brings a good
/// one.
void RedisQueue::drop_corrupt(rules::Priority priority, std::string_view member,
                              const base::Error& error) {
  options_.on_corrupt_item(error);
  // The field under which the lease script has put it, whatever it is.
  constexpr std::size_t kIdLength = 36;
  const std::size_t offset = std::min(rules::kQueueItemIdOffset, member.size());
  repairs_.spawn(forget(keys(priority).inflight, std::string(member.substr(offset, kIdLength))));
}

async::Task<void> RedisQueue::forget(std::string inflight_key, std::string field) {
  const auto gone = co_await redis_.command(Command("HDEL").key(inflight_key).arg(field),
                                            timers_.after(options_.timeout));
  if (!gone) options_.on_corrupt_item(gone.error());
}

async::Task<Expected<void>> RedisQueue::postpone(LeaseKey key, base::WallTime due_at) {
  const Keys& k = keys(key.priority);
  co_return to_void(co_await redis_.run(
      scripts::kPostpone, {k.queue, k.inflight, k.suspect},
      {key.notification.to_string(), std::to_string(queue_score(due_at, key.priority)),
       std::to_string(kQueueTtlSeconds)},
      timers_.after(options_.timeout)));
}

async::Task<Expected<void>> RedisQueue::give_back(LeaseKey key, base::Deadline) {
  return postpone(key, timers_.clock().now());
}

async::Task<Expected<Registration>> RedisQueue::heartbeat(std::chrono::milliseconds ttl,
                                                          base::Deadline deadline) {
  // Registered first: a node that holds leases is always on the register.
  std::vector<Command> commands;
  commands.push_back(Command("ZADD")
                         .key(kNodes)
                         .arg(timers_.clock().now().time_since_epoch().count())
                         .arg(options_.node));
  commands.push_back(
      Command("SET").key(heartbeat_key(options_.node)).arg("1").arg("PX").arg(ttl.count()));
  const auto replies = co_await redis_.pipeline(std::move(commands), deadline);
  if (const auto beaten = first_error(replies); !beaten) co_return fail(beaten.error());
  const auto added = replies->front().as_integer();
  co_return added&&* added == 1 ? Registration::made_anew : Registration::found;
}

async::Task<Expected<void>> RedisQueue::sign_off(base::Deadline deadline) {
  const auto left = co_await empty_leases_of(options_.node, deadline);
  if (!left) co_return fail(left.error());
  std::vector<Command> commands;
  commands.push_back(Command("ZREM").key(kNodes).arg(options_.node));
  commands.push_back(Command("DEL").key(heartbeat_key(options_.node)));
  const auto done = first_error(co_await redis_.pipeline(std::move(commands), deadline));
  if (!done) co_return fail(done.error());
  co_return Expected<void>();
}

async::Task<Expected<std::vector<std::string>>> RedisQueue::nodes(base::Deadline deadline) {
  auto reply = co_await redis_.command(Command("ZRANGE").key(kNodes).arg("0").arg("-1"), deadline);
  if (!reply) co_return fail(std::move(reply).error());
  std::vector<std::string> names;
  for (Reply& element : reply->elements()) names.push_back(element.take_text());
  co_return names;
}

async::Task<Expected<std::size_t>> RedisQueue::take_over_dead(base::Deadline deadline) {
  const auto registered = co_await nodes(deadline);
  if (!registered) co_return fail(registered.error());
  std::size_t taken = 0;
  for (const std::string& node : *registered) {
    if (node == options_.node) continue;
    const auto alive =
        to_count(co_await redis_.command(Command("EXISTS").key(heartbeat_key(node)), deadline));
    if (!alive) co_return fail(alive.error());
    if (*alive == 1) continue;
    const auto count = co_await empty_leases_of(node, deadline);
    if (!count) co_return fail(count.error());
    taken += *count;
    const auto struck_off =
        co_await redis_.command(Command("ZREM").key(kNodes).arg(node), deadline);
    if (!struck_off) co_return fail(struck_off.error());
  }
  co_return taken;
}

async::Task<Expected<std::size_t>> RedisQueue::empty_leases_of(std::string node,
                                                               base::Deadline deadline) {
  constexpr std::size_t kPortion = 200;  // a script blocks Redis while it runs
  std::size_t moved = 0;
  for (const rules::Priority priority : rules::kPriorities) {
    for (;;) {
      const std::int64_t score = queue_score(timers_.clock().now(), priority);
      const auto count = to_count(co_await redis_.run(
          scripts::kTakeOver,
          {keys(priority).queue, inflight_key(priority, node), keys(priority).suspect},
          {std::to_string(score), std::to_string(kQueueTtlSeconds), std::to_string(kPortion)},
          deadline));
      if (!count) co_return fail(count.error());
      moved += *count;
      if (*count < kPortion) break;
    }
  }
  co_return moved;
}

async::Task<Expected<std::vector<LeaseKey>>> RedisQueue::mine(base::Deadline deadline) {
  std::vector<LeaseKey> held;
  for (const rules::Priority priority : rules::kPriorities) {
    const auto reply =
        co_await redis_.command(Command("HKEYS").key(keys(priority).inflight), deadline);
    if (!reply) co_return fail(reply.error());
    for (const Reply& element : reply->elements()) {
      const auto text = element.as_text();
      const auto id = base::NotificationId::parse(text ? *text : std::string_view());
      if (id) held.push_back({priority, *id});
    }
  }
  co_return held;
}

async::Task<Expected<std::array<std::size_t, 3>>> RedisQueue::depths(base::Deadline deadline) {
  std::array<std::size_t, 3> depths{};
  for (const rules::Priority priority : rules::kPriorities) {
    const auto count =
        to_count(co_await redis_.command(Command("ZCARD").key(keys(priority).queue), deadline));
    if (!count) co_return fail(count.error());
    depths[static_cast<std::size_t>(priority)] = *count;
  }
  co_return depths;
}

async::Task<Expected<std::size_t>> RedisQueue::readmit(std::vector<QueueItem> items,
                                                       base::Deadline deadline) {
  const auto registered = co_await nodes(deadline);
  if (!registered) co_return fail(registered.error());
  std::size_t added = 0;
  for (const rules::Priority priority : rules::kPriorities) {
    std::vector<std::string> script_keys = {keys(priority).queue, keys(priority).suspect};
    for (const std::string& node : *registered) {
      script_keys.push_back(inflight_key(priority, node));
    }
    std::vector<std::string> arguments = {std::to_string(kQueueTtlSeconds)};
    for (const QueueItem& item : items) {
      if (item.notification.priority != priority) continue;
      arguments.push_back(item.notification.id.to_string());
      arguments.push_back(std::to_string(queue_score(item.due_at, priority)));
      arguments.push_back(rules::encode_queue_item(item.notification));
    }
    if (arguments.size() == 1) continue;
    const auto count = to_count(co_await redis_.run(scripts::kReadmit, std::move(script_keys),
                                                    std::move(arguments), deadline));
    if (!count) co_return fail(count.error());
    added += *count;
  }
  co_return added;
}

}  // namespace notify::stores
