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

Expected<async::Unit> was_put_in(const Reply& reply) {
  if (reply.is_error()) return fail(reply.to_error());
  const auto put = reply.as_integer();
  if (!put) return fail(put.error());
  if (*put == 0) return fail(Errc::timed_out, "it took too long: left to recovery");
  return async::Unit{};
}

}  // namespace

RedisQueue::RedisQueue(redis::Client& redis, async::Timers& timers, const QueueBooks& books,
                       const RedisStanding& standing, Options options,
                       const async::OnEscape& on_escape)
    : redis_(redis),
      timers_(timers),
      books_(books),
      standing_(standing),
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
      repairs_(timers.executor(), on_escape) {}

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

/// Whether it is too late is decided twice: here, item by item, and where it counts, by the server,
/// for all that is left. The scripts of all books leave together: so of two batches the first one
/// is first in every book, and a user's items keep their order.
async::Task<RedisQueue::Results> RedisQueue::enqueue_batch(std::vector<QueueItem> batch) {
  const base::WallTime now = timers_.clock().now();
  Results results(batch.size(),
                  fail(Errc::timed_out, "too old to be queued: it is left to recovery"));
  std::vector<redis::ScriptCall> calls;
  std::vector<std::vector<std::size_t>> places;  // in the batch, for each call
  for (const QueueBook& book : books_.all()) {
    std::vector<std::size_t> mine;
    std::vector<std::string> arguments(3);
    base::WallTime latest = base::WallTime::max();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const QueueItem& item = batch[i];
      const base::WallTime created_at = item.notification.created_at();
      const base::WallTime last_moment = created_at + kEnqueueWithin;
      if (&books_.of(item.notification) != &book || last_moment < now) continue;
      mine.push_back(i);
      latest = std::min(latest, last_moment);
      const bool at_once = item.due_at == created_at;
      arguments.push_back(at_once ? std::string()
                                  : std::to_string(queue_score(item.due_at, book.priority)));
      arguments.push_back(rules::encode_queue_item(item.notification));
    }
    if (mine.empty()) continue;
    arguments[0] = std::to_string((latest + standing_.server_ahead).time_since_epoch().count());
    arguments[1] = std::to_string(kQueueTtlSeconds);
    arguments[2] = std::to_string(static_cast<int>(book.priority));
    calls.push_back({scripts::kEnqueue,
                     {book.queue, book.epoch, book.suspect, book.ids},
                     std::move(arguments)});
    places.push_back(std::move(mine));
  }
  if (calls.empty()) co_return results;
  const auto replies = co_await redis_.run_all(std::move(calls), timers_.after(options_.timeout));
  for (std::size_t call = 0; call < places.size(); ++call) {
    const Expected<async::Unit> done =
        replies ? was_put_in((*replies)[call]) : fail(replies.error());
    for (const std::size_t place : places[call]) results[place] = done;
  }
  co_return results;
}

async::Task<RedisQueue::Results> RedisQueue::ack_batch(std::vector<LeaseKey> batch) {
  std::vector<redis::ScriptCall> calls;
  for (const QueueBook& book : books_.all()) {
    std::vector<std::string> ids;
    for (const LeaseKey& key : batch) {
      if (key.priority == book.priority && key.shard == book.shard) {
        ids.push_back(key.notification.to_string());
      }
    }
    if (ids.empty()) continue;
    calls.push_back(
        {scripts::kAck, {book.mine, book.suspect, book.users, book.ids}, std::move(ids)});
  }
  Expected<async::Unit> result = async::Unit{};
  const auto replies = co_await redis_.run_all(std::move(calls), timers_.after(options_.timeout));
  if (!replies) co_return Results(batch.size(), fail(replies.error()));
  for (const Reply& reply : *replies) {
    if (reply.is_error()) result = fail(reply.to_error());
  }
  co_return Results(batch.size(), result);
}

/// What one book is asked for; all are asked at once.
struct RedisQueue::Share {
  const QueueBook& book;
  std::size_t count;
  LeaseDemand demand = LeaseDemand::sated;
  std::optional<Expected<std::vector<Lease>>> result;
};

struct RedisQueue::Round {
  base::Deadline deadline;
  std::size_t running;
  async::OneShot<async::Unit> all_done;
};

/// Mostly one round. While less than half has come and somebody has more, the shares were wrong:
/// the next round is by what this one has shown.
async::Task<Expected<std::vector<Lease>>> RedisQueue::lease(std::size_t max,
                                                            base::Deadline deadline) {
  std::vector<Lease> leases;
  // A server that is not the one of the last heartbeat may have gone back in time.
  if (!is_known()) co_return leases;
  for (;;) {
    auto more = co_await lease_round(max - leases.size(), deadline);
    if (!more) {
      // What was leased before the failure is ours and must be worked on.
      if (leases.empty()) co_return fail(std::move(more).error());
      co_return leases;
    }
    // If it has become another one meanwhile, these leases stay on the books, without anybody at
    // work on them, and go back as suspects.
    if (!is_known()) co_return leases;
    leases.insert(leases.end(), std::make_move_iterator(more->begin()),
                  std::make_move_iterator(more->end()));
    const bool plenty = std::any_of(demand_.begin(), demand_.end(),
                                    [](LeaseDemand d) { return d != LeaseDemand::sated; });
    if (more->empty() || !plenty || 2 * leases.size() >= max) co_return leases;
  }
}

/// A priority's share is divided among its shards in turn.
std::vector<RedisQueue::Share> RedisQueue::shares(std::size_t max) {
  const std::size_t turn = turn_++;
  const LeaseShares counts = lease_shares(max, demand_, turn);
  std::vector<Share> shares;
  for (const QueueBook& book : books_.all()) {
    const std::size_t count = counts[static_cast<std::size_t>(book.priority)];
    const std::size_t place = (book.shard + turn) % books_.shards();
    const std::size_t part = count / books_.shards() + (place < count % books_.shards() ? 1 : 0);
    if (part > 0) shares.push_back({book, part, LeaseDemand::sated, std::nullopt});
  }
  return shares;
}

async::Task<Expected<std::vector<Lease>>> RedisQueue::lease_round(std::size_t max,
                                                                  base::Deadline deadline) {
  std::vector<Share> shares = this->shares(max);
  // One more than the shares, until all have been started.
  Round round{deadline, 1, async::OneShot<async::Unit>(timers_.executor())};
  for (Share& share : shares) {
    ++round.running;
    if (!leases_.spawn(lease_share(share, round))) --round.running;
  }
  if (--round.running > 0) co_await round.all_done.wait();

  std::vector<Lease> leases;
  std::optional<base::Error> error;
  demand_ = {};
  for (Share& share : shares) {
    if (!share.result || !*share.result) {
      error = share.result ? share.result->error() : base::Error{Errc::cancelled, "stopping"};
      continue;
    }
    LeaseDemand& demand = demand_[static_cast<std::size_t>(share.book.priority)];
    demand = std::max(demand, share.demand);
    leases.insert(leases.end(), std::make_move_iterator((*share.result)->begin()),
                  std::make_move_iterator((*share.result)->end()));
  }
  // What was leased beside a failure is ours and must be worked on.
  if (leases.empty() && error) co_return fail(*error);
  co_return leases;
}

async::Task<void> RedisQueue::lease_share(Share& share, Round& round) {
  share.result = co_await lease_from(share, round.deadline);
  if (--round.running == 0) round.all_done.complete({});
}

async::Task<Expected<std::vector<Lease>>> RedisQueue::lease_from(Share& share,
                                                                 base::Deadline deadline) {
  const QueueBook& book = share.book;
  auto reply = co_await redis_.run(
      scripts::kLease,
      {book.queue, book.mine, book.suspect, book.users, book.epoch, book.nodes, book.ids,
       book.aside, book.unreadable},
      {std::to_string(share.count), books_.node(), standing_.books[book.index].term,
       std::to_string(kQueueTtlSeconds), std::to_string(rules::kQueueItemVersion)},
      deadline);
  if (!reply) co_return fail(std::move(reply).error());
  const std::vector<Reply>& parts = reply->elements();
  std::vector<Lease> leases;
  leases.reserve(parts.size() / 2);
  for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
    const auto member = parts[i].as_text();
    const auto suspect = parts[i + 1].as_text();
    if (!member || !suspect) co_return fail(Errc::corrupt, "the lease script answered oddly");
    auto notification = rules::decode_queue_item(*member);
    if (!notification) {
      leave_unread(book, *member, notification.error());
      continue;
    }
    leases.push_back({std::move(*notification), *suspect == "1", book.shard});
  }
  const auto next = parts.empty() ? Expected<std::string_view>("") : parts[0].as_text();
  if (!next) co_return fail(Errc::corrupt, "the lease script answered oddly");
  // The books know no such term of ours: the next heartbeat tells.
  if (*next == "?") co_return leases;
  if (!next->empty()) {
    const std::chrono::milliseconds waited(std::strtoll(std::string(*next).c_str(), nullptr, 10));
    const bool overdue = waited > options_.age_bound;
    share.demand = overdue ? LeaseDemand::overdue : LeaseDemand::hungry;
  }
  co_return leases;
}

/// An item that cannot be read must not come back for ever; its row in PostgreSQL brings a good
/// one.
void RedisQueue::leave_unread(const QueueBook& book, std::string_view member,
                              const base::Error& error) {
  options_.on_unreadable_item(error);
  // The field under which the lease script has put it, whatever it is.
  constexpr std::size_t kIdLength = 36;
  const std::size_t offset = std::min(rules::kQueueItemIdOffset, member.size());
  repairs_.spawn(put_aside(book, std::string(member.substr(offset, kIdLength))));
}

async::Task<void> RedisQueue::put_aside(const QueueBook& book, std::string field) {
  const auto done =
      co_await redis_.run(scripts::kPutAside, {book.mine, book.users, book.unreadable},
                          {std::move(field), std::to_string(rules::kQueueItemVersion),
                           std::to_string(kQueueTtlSeconds)},
                          timers_.after(options_.timeout));
  if (!done) options_.on_unreadable_item(done.error());
}

async::Task<Expected<void>> RedisQueue::postpone(LeaseKey key, base::WallTime due_at) {
  const QueueBook& book = books_.at(key.priority, key.shard);
  const auto postponed = co_await redis_.run(
      scripts::kPostpone, {book.queue, book.mine, book.suspect, book.users, book.ids},
      {key.notification.to_string(), std::to_string(queue_score(due_at, key.priority)),
       std::to_string(static_cast<int>(key.priority)), std::to_string(kQueueTtlSeconds)},
      timers_.after(options_.timeout));
  if (!postponed) co_return fail(postponed.error());
  co_return Expected<void>();
}

async::Task<Expected<RedisQueue::Depths>> RedisQueue::depths(base::Deadline deadline) {
  std::vector<Command> commands;
  for (const QueueBook& book : books_.all()) {
    commands.push_back(Command("SCARD").key(book.ids));
    commands.push_back(Command("ZCARD").key(book.unreadable));
  }
  const auto replies = co_await redis_.pipeline(std::move(commands), deadline);
  if (!replies) co_return fail(replies.error());
  Depths depths;
  for (const QueueBook& book : books_.all()) {
    const auto items = (*replies)[2 * book.index].as_integer();
    const auto unreadable = (*replies)[2 * book.index + 1].as_integer();
    if (!items) co_return fail(items.error());
    if (!unreadable) co_return fail(unreadable.error());
    depths.items[static_cast<std::size_t>(book.priority)] += static_cast<std::size_t>(*items);
    depths.unreadable += static_cast<std::size_t>(*unreadable);
  }
  co_return depths;
}

}  // namespace notify::stores
