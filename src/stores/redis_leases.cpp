#include "stores/redis_leases.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/uuid.hpp"
#include "rules/codec.hpp"
#include "stores/redis_queue_scripts.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using redis::Command;
using redis::Reply;

constexpr std::size_t kPortion = 200;  // a script blocks Redis while it runs

const std::string& queue_ttl() {
  static const std::string kTtl = std::to_string(kQueueTtlSeconds);
  return kTtl;
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

Expected<std::optional<base::WallTime>> to_swept(const Reply& reply) {
  if (reply.is_nil()) return std::optional<base::WallTime>();
  const auto text = reply.as_text();
  std::int64_t ms = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), ms).ec != std::errc()) {
    return fail(Errc::corrupt, std::string(kSweptKey) + " is not a time");
  }
  return std::optional(base::WallTime(std::chrono::milliseconds(ms)));
}

base::Error unknown_epoch() { return {Errc::unavailable, "no heartbeat has seen this server yet"}; }

}  // namespace

RedisLeases::RedisLeases(redis::Client& redis, async::Timers& timers, base::Rng& rng,
                         const QueueBooks& books)
    : redis_(redis), timers_(timers), rng_(rng), books_(books), epochs_(books.all().size()) {}

async::Task<Expected<Pulse>> RedisLeases::heartbeat(std::chrono::milliseconds ttl,
                                                    base::Deadline deadline) {
  // Registered first: a node that holds leases is always on the register.
  const auto swept = co_await beat(ttl, deadline);
  if (!swept) co_return fail(swept.error());
  const std::uint64_t connects = redis_.counters().connects;
  auto seen = co_await read_epochs(ttl, deadline);
  if (!seen) co_return fail(std::move(seen).error());
  const auto leads =
      to_count(co_await redis_.run(scripts::kLead, {std::string(kMaintainerKey)},
                                   {books_.node(), std::to_string(ttl.count())}, deadline));
  if (!leads) co_return fail(leads.error());
  // All at once, and only now: whoever acts by an epoch also has the pulse that tells of its age.
  if (seen->ids != epochs_) ++epoch_number_;
  epochs_ = std::move(seen->ids);
  // A connection that was made in between has not been seen by all of it: the next one tells.
  connects_at_heartbeat_ = connects;
  co_return Pulse{epoch_number_, seen->epoch, *leads == 1, *swept};
}

/// Returns what swept_until() does, in the same round trip.
async::Task<Expected<std::optional<base::WallTime>>> RedisLeases::beat(
    std::chrono::milliseconds ttl, base::Deadline deadline) {
  std::vector<Command> commands;
  commands.push_back(Command("ZADD")
                         .key(kNodesKey)
                         .arg(timers_.clock().now().time_since_epoch().count())
                         .arg(books_.node()));
  commands.push_back(
      Command("SET").key(heartbeat_key(books_.node())).arg("1").arg("PX").arg(ttl.count()));
  commands.push_back(Command("GET").key(kSweptKey));
  const auto replies = co_await redis_.pipeline(std::move(commands), deadline);
  if (!replies) co_return fail(replies.error());
  for (const Reply& reply : *replies) {
    if (reply.is_error()) co_return fail(reply.to_error());
  }
  co_return to_swept(replies->back());
}

/// The youngest epoch of the books is that of the queue: in a cluster each may have its own.
async::Task<Expected<RedisLeases::Epochs>> RedisLeases::read_epochs(std::chrono::milliseconds ttl,
                                                                    base::Deadline deadline) {
  Epochs seen;
  bool young = false;
  bool gappy = false;
  const std::string fresh = base::UuidV7Generator(timers_.clock(), rng_).next().to_string();
  for (const QueueBook& book : books_.all()) {
    const base::WallTime asked = timers_.clock().now();
    const auto reply = co_await redis_.run(scripts::kEpoch, {book.epoch, book.queue, book.old},
                                           {fresh, queue_ttl()}, deadline);
    if (!reply) co_return fail(reply.error());
    const base::WallTime halfway = asked + (timers_.clock().now() - asked) / 2;
    if (reply->elements().size() != 4) co_return fail(Errc::corrupt, "odd answer of kEpoch");
    const auto id = reply->elements()[0].as_text();
    const auto age = reply->elements()[1].as_integer();
    const auto whole = reply->elements()[2].as_text();
    const auto server_time = reply->elements()[3].as_integer();
    if (!id || !age || !whole || !server_time)
      co_return fail(Errc::corrupt, "odd answer of kEpoch");
    seen.ids.emplace_back(*id);
    server_ahead_ = base::WallTime(std::chrono::milliseconds(*server_time)) - halfway;
    young = young || (whole->empty() && *age < ttl.count());
    gappy = gappy || whole->empty();
  }
  seen.epoch = young ? Epoch::young : gappy ? Epoch::gappy : Epoch::whole;
  co_return seen;
}

async::Task<Expected<void>> RedisLeases::claim(std::vector<Lease> held, base::Deadline deadline) {
  for (const QueueBook& book : books_.all()) {
    std::vector<std::string> arguments = {books_.node()};
    for (std::size_t i = 0; i < held.size(); ++i) {
      const Lease& lease = held[i];
      if (lease.notification.priority == book.priority && lease.shard == book.shard) {
        arguments.push_back(lease.notification.id.to_string());
        arguments.push_back(rules::encode_queue_item(lease.notification));
      }
      const bool last = i + 1 == held.size();
      if (arguments.size() == 1 || (!last && arguments.size() <= 2 * kPortion)) continue;
      const auto claimed = co_await redis_.run(
          scripts::kClaim, {book.mine, book.users},
          std::exchange(arguments, std::vector<std::string>{books_.node()}), deadline);
      if (!claimed) co_return fail(claimed.error());
    }
  }
  co_return Expected<void>();
}

async::Task<Expected<std::vector<LeaseKey>>> RedisLeases::mine(base::Deadline deadline) {
  std::vector<LeaseKey> held;
  for (const QueueBook& book : books_.all()) {
    const auto reply = co_await redis_.command(Command("HKEYS").key(book.mine), deadline);
    if (!reply) co_return fail(reply.error());
    for (const Reply& element : reply->elements()) {
      const auto text = element.as_text();
      const auto id = base::NotificationId::parse(text ? *text : std::string_view());
      if (id) held.push_back({book.priority, *id, book.shard});
    }
  }
  co_return held;
}

async::Task<Expected<void>> RedisLeases::give_back(LeaseKey key, base::Deadline deadline) {
  const QueueBook& book = books_.at(key.priority, key.shard);
  co_return to_void(
      co_await redis_.run(scripts::kPostpone, {book.queue, book.mine, book.suspect, book.users},
                          {key.notification.to_string(), "",
                           std::to_string(static_cast<int>(key.priority)), queue_ttl()},
                          deadline));
}

async::Task<Expected<void>> RedisLeases::sign_off(base::Deadline deadline) {
  const auto left = co_await empty_leases_of(books_.node(), deadline);
  if (!left) co_return fail(left.error());
  for (const auto& command : {Command("ZREM").key(kNodesKey).arg(books_.node()),
                              Command("DEL").key(heartbeat_key(books_.node()))}) {
    const auto done = co_await redis_.command(command, deadline);
    if (!done) co_return fail(done.error());
  }
  co_return to_void(co_await redis_.run(scripts::kStandDown, {std::string(kMaintainerKey)},
                                        {books_.node()}, deadline));
}

async::Task<Expected<std::vector<std::string>>> RedisLeases::nodes(base::Deadline deadline) {
  auto reply =
      co_await redis_.command(Command("ZRANGE").key(kNodesKey).arg("0").arg("-1"), deadline);
  if (!reply) co_return fail(std::move(reply).error());
  std::vector<std::string> names;
  for (Reply& element : reply->elements()) names.push_back(element.take_text());
  co_return names;
}

async::Task<Expected<bool>> RedisLeases::is_alive(std::string node, base::Deadline deadline) {
  const auto found =
      to_count(co_await redis_.command(Command("EXISTS").key(heartbeat_key(node)), deadline));
  if (!found) co_return fail(found.error());
  co_return *found == 1;
}

async::Task<Expected<std::size_t>> RedisLeases::take_over_dead(base::Deadline deadline) {
  const auto registered = co_await nodes(deadline);
  if (!registered) co_return fail(registered.error());
  std::size_t taken = 0;
  for (const std::string& node : *registered) {
    if (node == books_.node()) continue;
    const auto alive = co_await is_alive(node, deadline);
    if (!alive) co_return fail(alive.error());
    if (*alive) continue;
    // Of a server that has gone back in time, a missing heartbeat says nothing.
    if (!epoch_is_known()) co_return fail(unknown_epoch());
    const auto count = co_await empty_leases_of(node, deadline);
    if (!count) co_return fail(count.error());
    taken += *count;
    const auto struck_off =
        co_await redis_.command(Command("ZREM").key(kNodesKey).arg(node), deadline);
    if (!struck_off) co_return fail(struck_off.error());
  }
  co_return taken;
}

async::Task<Expected<std::size_t>> RedisLeases::empty_leases_of(std::string node,
                                                                base::Deadline deadline) {
  std::size_t moved = 0;
  for (const QueueBook& book : books_.all()) {
    for (;;) {
      const auto count = to_count(co_await redis_.run(
          scripts::kTakeOver, {book.queue, book.inflight(node), book.suspect, book.users},
          {std::to_string(static_cast<int>(book.priority)), queue_ttl(), std::to_string(kPortion)},
          deadline));
      if (!count) co_return fail(count.error());
      moved += *count;
      if (*count < kPortion) break;
    }
  }
  co_return moved;
}

async::Task<Expected<std::size_t>> RedisLeases::salvage(base::Deadline deadline) {
  const auto registered = co_await nodes(deadline);
  if (!registered) co_return fail(registered.error());
  if (!epoch_is_known()) co_return fail(unknown_epoch());
  std::size_t moved = 0;
  for (std::size_t i = 0; i < epochs_.size(); ++i) {
    const QueueBook& book = books_.all()[i];
    std::vector<std::string> keys = {book.queue, book.suspect, book.old, book.epoch};
    for (const std::string& node : *registered) keys.push_back(book.inflight(node));
    for (;;) {
      const auto reply = co_await redis_.run(
          scripts::kSalvage, keys, {queue_ttl(), std::to_string(kPortion), epochs_[i]}, deadline);
      if (!reply) co_return fail(reply.error());
      if (reply->elements().size() != 2) co_return fail(Errc::corrupt, "odd answer of kSalvage");
      const auto seen = reply->elements()[0].as_integer();
      const auto count = reply->elements()[1].as_integer();
      if (!seen || !count) co_return fail(Errc::corrupt, "odd answer of kSalvage");
      if (*count < 0) co_return fail(unknown_epoch());
      moved += static_cast<std::size_t>(*count);
      if (*seen < static_cast<std::int64_t>(kPortion)) break;
    }
  }
  co_return moved;
}

async::Task<Expected<std::size_t>> RedisLeases::readmit(std::vector<QueueItem> items,
                                                        base::Deadline deadline) {
  const auto registered = co_await nodes(deadline);
  if (!registered) co_return fail(registered.error());
  if (!epoch_is_known()) co_return fail(unknown_epoch());
  std::size_t added = 0;
  for (std::size_t i = 0; i < epochs_.size(); ++i) {
    const QueueBook& book = books_.all()[i];
    std::vector<std::string> keys = {book.queue, book.suspect, book.epoch};
    for (const std::string& node : *registered) keys.push_back(book.inflight(node));
    std::vector<std::string> arguments = {queue_ttl(), epochs_[i]};
    for (const QueueItem& item : items) {
      if (&books_.of(item.notification) != &book) continue;
      arguments.push_back(item.notification.id.to_string());
      arguments.push_back(std::to_string(queue_score(item.due_at, book.priority)));
      arguments.push_back(rules::encode_queue_item(item.notification));
    }
    if (arguments.size() == 2) continue;
    const auto reply =
        co_await redis_.run(scripts::kReadmit, std::move(keys), std::move(arguments), deadline);
    if (!reply) co_return fail(reply.error());
    const auto count = reply->as_integer();
    if (!count) co_return fail(count.error());
    if (*count < 0) co_return fail(unknown_epoch());
    added += static_cast<std::size_t>(*count);
  }
  co_return added;
}

async::Task<Expected<bool>> RedisLeases::withdraw(rules::Notification n, base::Deadline deadline) {
  const QueueBook& book = books_.of(n);
  const auto index = static_cast<std::size_t>(&book - books_.all().data());
  const base::WallTime enters_until = n.created_at() + kRecoverAfter;
  const bool may_come = timers_.clock().now() < enters_until;
  const std::vector<std::string> arguments = {
      queue_ttl(), epochs_[index], n.id.to_string(),
      may_come ? std::to_string(queue_score(enters_until, n.priority)) : std::string(),
      rules::encode_queue_item(n)};
  auto registered = co_await nodes(deadline);
  if (!registered) co_return fail(std::move(registered).error());
  std::sort(registered->begin(), registered->end());
  for (;;) {
    if (!epoch_is_known()) co_return fail(unknown_epoch());
    std::vector<std::string> keys = {book.queue, book.suspect, book.epoch};
    for (const std::string& node : *registered) keys.push_back(book.inflight(node));
    const auto answer =
        co_await redis_.run(scripts::kWithdraw, std::move(keys), arguments, deadline);
    if (!answer) co_return fail(answer.error());
    const auto found = answer->as_integer();
    if (!found) co_return fail(found.error());
    // Of a server that has gone back in time meanwhile the answer says nothing.
    if (*found < 0 || !epoch_is_known()) co_return fail(unknown_epoch());
    if (*found == 1) co_return true;
    // A node that was not on the register yet may have leased it before the script ran.
    auto by_now = co_await nodes(deadline);
    if (!by_now) co_return fail(by_now.error());
    std::sort(by_now->begin(), by_now->end());
    if (std::includes(registered->begin(), registered->end(), by_now->begin(), by_now->end())) {
      co_return false;
    }
    registered = std::move(by_now);
  }
}

async::Task<Expected<void>> RedisLeases::set_whole(std::uint64_t epoch_number,
                                                   base::Deadline deadline) {
  if (epoch_number != epoch_number_) co_return Expected<void>();
  for (std::size_t i = 0; i < epochs_.size(); ++i) {
    const auto done =
        co_await redis_.run(scripts::kSetWhole, {books_.all()[i].epoch}, {epochs_[i]}, deadline);
    if (!done) co_return fail(done.error());
  }
  co_return Expected<void>();
}

async::Task<Expected<std::optional<base::WallTime>>> RedisLeases::swept_until(
    base::Deadline deadline) {
  const auto reply = co_await redis_.command(Command("GET").key(kSweptKey), deadline);
  if (!reply) co_return fail(reply.error());
  co_return to_swept(*reply);
}

async::Task<Expected<void>> RedisLeases::set_swept_until(base::WallTime until,
                                                         base::Deadline deadline) {
  co_return to_void(co_await redis_.command(
      Command("SET").key(kSweptKey).arg(until.time_since_epoch().count()), deadline));
}

}  // namespace notify::stores
