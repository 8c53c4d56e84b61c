#include "stores/redis_leases.hpp"

#include <algorithm>
#include <utility>

#include "base/uuid.hpp"
#include "rules/codec.hpp"
#include "stores/redis_beat.hpp"
#include "stores/redis_lease_scripts.hpp"
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

std::string to_text(base::WallTime at) { return std::to_string(at.time_since_epoch().count()); }

base::Error unknown_epoch() { return {Errc::unavailable, "no heartbeat has seen this server yet"}; }

base::Error odd(const char* script) {
  return {Errc::corrupt, std::string("odd answer of ") + script};
}

}  // namespace

RedisLeases::RedisLeases(redis::Client& redis, async::Timers& timers, base::Rng& rng,
                         const QueueBooks& books)
    : redis_(redis), timers_(timers), rng_(rng), books_(books) {
  standing_.books.resize(books.all().size());
}

std::vector<redis::ScriptCall> RedisLeases::life_signs(LifeSign sign) {
  const std::string fresh = base::UuidV7Generator(timers_.clock(), rng_).next().to_string();
  const std::string ttl = std::to_string(sign.lives_for.count());
  const base::WallTime now = timers_.clock().now();
  std::vector<redis::ScriptCall> calls;
  for (const QueueBook& book : books_.all()) {
    calls.push_back(
        {scripts::kBeat,
         {book.epoch, book.queue, book.old, book.nodes, book.ids, book.suspect, book.users,
          book.aside, book.unreadable},
         {fresh, queue_ttl(), books_.node(), ttl, std::to_string(rules::kQueueItemVersion),
          std::to_string(static_cast<int>(book.priority))}});
  }
  calls.push_back({scripts::kRegister,
                   {std::string(kNodesKey)},
                   {books_.node(), to_text(now), to_text(now - std::chrono::days(1))}});
  calls.push_back({scripts::kGetSwept, {std::string(kSweptKey)}, {}});
  if (sign.may_lead) {
    calls.push_back({scripts::kLead, {std::string(kMaintainerKey)}, {books_.node(), ttl}});
  } else {
    calls.push_back({scripts::kStandDown, {std::string(kMaintainerKey)}, {books_.node()}});
  }
  return calls;
}

/// One round trip. What it tells is taken over as a whole, or not at all: a worker that acts by an
/// epoch also has the pulse that tells of its age.
async::Task<Expected<Pulse>> RedisLeases::heartbeat(LifeSign sign, base::Deadline deadline) {
  std::uint64_t doubts = RedisStanding::doubts(redis_);
  base::WallTime asked = timers_.clock().now();
  auto replies = co_await redis_.run_all(life_signs(sign), deadline);
  if (replies && RedisStanding::doubts(redis_) != doubts) {
    // It went over a connection that was made in between: which server has answered?
    doubts = RedisStanding::doubts(redis_);
    asked = timers_.clock().now();
    replies = co_await redis_.run_all(life_signs(sign), deadline);
  }
  if (!replies) co_return fail(replies.error());
  const base::WallTime halfway = asked + (timers_.clock().now() - asked) / 2;
  RedisStanding seen;
  seen.doubts_at_heartbeat = doubts;
  WorstBeat worst;
  bool epoch_is_new = false;
  bool term_is_new = term_ == 0;
  const std::size_t books = books_.all().size();
  for (std::size_t i = 0; i < books; ++i) {
    auto beat = to_beat((*replies)[i]);
    if (!beat) co_return fail(std::move(beat).error());
    worst.add(*beat, sign.lives_for);
    seen.server_ahead = beat->server_time - halfway;
    const RedisStanding::InBook& before = standing_.books[i];
    epoch_is_new = epoch_is_new || beat->standing.epoch != before.epoch;
    term_is_new = term_is_new || (beat->standing.epoch == before.epoch && beat->standing != before);
    seen.books.push_back(std::move(beat->standing));
  }
  for (std::size_t i = books; i < replies->size(); ++i) {
    if ((*replies)[i].is_error()) co_return fail((*replies)[i].to_error());
  }
  const auto swept = to_time((*replies)[books + 1]);
  const auto leads = (*replies)[books + 2].as_integer();
  if (!swept || !leads) co_return fail(odd("a heartbeat"));
  if (epoch_is_new) ++epoch_number_;
  if (term_is_new) ++term_;
  standing_ = std::move(seen);
  young_for_ = sign.lives_for;
  Pulse pulse;
  pulse.epoch_number = epoch_number_;
  pulse.leads = *leads == 1;
  pulse.swept_until = *swept;
  pulse.term = term_;
  worst.tell(pulse);
  co_return pulse;
}

async::Task<Expected<void>> RedisLeases::claim(std::vector<Lease> held, base::Deadline deadline) {
  for (const QueueBook& book : books_.all()) {
    const RedisStanding::InBook& standing = standing_.books[book.index];
    const std::vector<std::string> who = {books_.node(), standing.term, standing.epoch,
                                          std::to_string(young_for_.count())};
    std::vector<std::string> arguments = who;
    for (std::size_t i = 0; i < held.size(); ++i) {
      const Lease& lease = held[i];
      if (lease.notification.priority == book.priority && lease.shard == book.shard) {
        arguments.push_back(lease.notification.id.to_string());
        arguments.push_back(rules::encode_queue_item(lease.notification));
      }
      const bool last = i + 1 == held.size();
      if (arguments.size() == who.size() || (!last && arguments.size() <= 2 * kPortion)) continue;
      const auto claimed = to_count(
          co_await redis_.run(scripts::kClaim, {book.mine, book.users, book.epoch, book.nodes},
                              std::exchange(arguments, who), deadline));
      if (!claimed) co_return fail(claimed.error());
      if (*claimed == 0) co_return fail(Errc::conflict, "it is too late to claim leases");
    }
  }
  co_return Expected<void>();
}

async::Task<Expected<std::vector<LeaseKey>>> RedisLeases::mine(base::Deadline deadline) {
  std::vector<Command> commands;
  for (const QueueBook& book : books_.all()) commands.push_back(Command("HKEYS").key(book.mine));
  const auto replies = co_await redis_.pipeline(std::move(commands), deadline);
  if (!replies) co_return fail(replies.error());
  std::vector<LeaseKey> held;
  for (const QueueBook& book : books_.all()) {
    const Reply& reply = (*replies)[book.index];
    if (reply.is_error()) co_return fail(reply.to_error());
    for (const Reply& element : reply.elements()) {
      const auto text = element.as_text();
      const auto id = base::NotificationId::parse(text ? *text : std::string_view());
      if (id) held.push_back({book.priority, *id, book.shard});
    }
  }
  co_return held;
}

async::Task<Expected<void>> RedisLeases::give_back(LeaseKey key, base::Deadline deadline) {
  const QueueBook& book = books_.at(key.priority, key.shard);
  co_return to_void(co_await redis_.run(
      scripts::kPostpone, {book.queue, book.mine, book.suspect, book.users, book.ids},
      {key.notification.to_string(), "", std::to_string(static_cast<int>(book.priority)),
       queue_ttl()},
      deadline));
}

async::Task<Expected<void>> RedisLeases::sign_off(base::Deadline deadline) {
  const auto left = co_await put_back_leases(books_.node(), deadline);
  if (!left) co_return fail(left.error());
  const auto struck_off =
      co_await redis_.command(Command("ZREM").key(kNodesKey).arg(books_.node()), deadline);
  if (!struck_off) co_return fail(struck_off.error());
  co_return to_void(co_await redis_.run(scripts::kStandDown, {std::string(kMaintainerKey)},
                                        {books_.node()}, deadline));
}

async::Task<Expected<std::size_t>> RedisLeases::take_over_dead(base::Deadline deadline) {
  return put_back_leases({}, deadline);
}

/// Those of this node, or without a name those of every node whose time has run out.
async::Task<Expected<std::size_t>> RedisLeases::put_back_leases(std::string of_node,
                                                                base::Deadline deadline) {
  if (!is_known()) co_return fail(unknown_epoch());
  std::size_t moved = 0;
  for (const QueueBook& book : books_.all()) {
    for (bool some_left = true; some_left;) {
      const auto reply = co_await redis_.run(
          scripts::kTakeOver,
          {book.queue, book.suspect, book.users, book.epoch, book.nodes, book.ids},
          {books_.node(), std::to_string(static_cast<int>(book.priority)), queue_ttl(),
           std::to_string(kPortion), standing_.books[book.index].epoch, of_node},
          deadline);
      if (!reply) co_return fail(reply.error());
      if (reply->elements().size() != 2) co_return fail(odd("kTakeOver"));
      const auto count = reply->elements()[0].as_integer();
      const auto more = reply->elements()[1].as_text();
      if (!count || !more) co_return fail(odd("kTakeOver"));
      if (*count < 0) co_return fail(unknown_epoch());
      moved += static_cast<std::size_t>(*count);
      some_left = !more->empty();
    }
  }
  co_return moved;
}

async::Task<Expected<std::size_t>> RedisLeases::salvage(base::Deadline deadline) {
  if (!is_known()) co_return fail(unknown_epoch());
  std::size_t moved = 0;
  for (const QueueBook& book : books_.all()) {
    for (;;) {
      const auto reply = co_await redis_.run(
          scripts::kSalvage, {book.queue, book.suspect, book.old, book.epoch, book.ids, book.nodes},
          {queue_ttl(), std::to_string(kPortion), standing_.books[book.index].epoch}, deadline);
      if (!reply) co_return fail(reply.error());
      if (reply->elements().size() != 2) co_return fail(odd("kSalvage"));
      const auto seen = reply->elements()[0].as_integer();
      const auto count = reply->elements()[1].as_integer();
      if (!seen || !count) co_return fail(odd("kSalvage"));
      if (*count < 0) co_return fail(unknown_epoch());
      moved += static_cast<std::size_t>(*count);
      if (*seen < static_cast<std::int64_t>(kPortion)) break;
    }
  }
  co_return moved;
}

async::Task<Expected<std::size_t>> RedisLeases::readmit(std::vector<QueueItem> items,
                                                        base::Deadline deadline) {
  if (!is_known()) co_return fail(unknown_epoch());
  std::size_t added = 0;
  for (const QueueBook& book : books_.all()) {
    std::vector<std::string> arguments = {queue_ttl(), standing_.books[book.index].epoch};
    for (const QueueItem& item : items) {
      if (&books_.of(item.notification) != &book) continue;
      arguments.push_back(item.notification.id.to_string());
      arguments.push_back(std::to_string(queue_score(item.due_at, book.priority)));
      arguments.push_back(rules::encode_queue_item(item.notification));
    }
    if (arguments.size() == 2) continue;
    const auto reply = co_await redis_.run(
        scripts::kReadmit, {book.queue, book.suspect, book.epoch, book.ids, book.nodes},
        std::move(arguments), deadline);
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
  const base::WallTime enters_until = n.created_at() + kRecoverAfter;
  if (!is_known()) co_return fail(unknown_epoch());
  const auto answer = co_await redis_.run(
      scripts::kWithdraw, {book.queue, book.suspect, book.epoch, book.ids, book.nodes},
      {queue_ttl(), standing_.books[book.index].epoch, n.id.to_string(),
       std::to_string(queue_score(enters_until, n.priority)), rules::encode_queue_item(n),
       to_text(enters_until)},
      deadline);
  if (!answer) co_return fail(answer.error());
  const auto found = answer->as_integer();
  if (!found) co_return fail(found.error());
  // Of a server that has gone back in time meanwhile the answer says nothing.
  if (*found < 0 || !is_known()) co_return fail(unknown_epoch());
  co_return *found == 1;
}

async::Task<Expected<void>> RedisLeases::set_whole(std::uint64_t epoch_number,
                                                   base::Deadline deadline) {
  if (epoch_number != epoch_number_) co_return Expected<void>();
  for (const QueueBook& book : books_.all()) {
    const auto done = co_await redis_.run(scripts::kSetWhole, {book.epoch},
                                          {standing_.books[book.index].epoch}, deadline);
    if (!done) co_return fail(done.error());
  }
  co_return Expected<void>();
}

async::Task<Expected<void>> RedisLeases::set_rebuilt(std::uint64_t epoch_number, Rebuilt rebuilt,
                                                     base::Deadline deadline) {
  if (epoch_number != epoch_number_) co_return Expected<void>();
  for (const QueueBook& book : books_.all()) {
    const auto done = co_await redis_.run(
        scripts::kSetRebuilt, {book.epoch},
        {standing_.books[book.index].epoch, to_text(rebuilt.until), to_text(rebuilt.down_to)},
        deadline);
    if (!done) co_return fail(done.error());
  }
  co_return Expected<void>();
}

async::Task<Expected<std::optional<base::WallTime>>> RedisLeases::swept_until(
    base::Deadline deadline) {
  const auto reply =
      co_await redis_.run(scripts::kGetSwept, {std::string(kSweptKey)}, {}, deadline);
  if (!reply) co_return fail(reply.error());
  co_return to_time(*reply);
}

async::Task<Expected<void>> RedisLeases::set_swept_until(base::WallTime until,
                                                         base::Deadline deadline) {
  co_return to_void(co_await redis_.run(scripts::kSetSwept, {std::string(kSweptKey)},
                                        {to_text(until), queue_ttl()}, deadline));
}

}  // namespace notify::stores
