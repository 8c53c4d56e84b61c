#include "stores/redis_queue_keys.hpp"

#include <utility>

namespace notify::stores {

std::string queue_key(rules::Priority priority, std::uint16_t shard) {
  std::string key = "notification:queue:" + std::string(rules::name(priority));
  if (shard > 0) key += ":" + std::to_string(shard);
  return key;
}

std::int64_t queue_score(base::WallTime due_at, rules::Priority priority) {
  return due_at.time_since_epoch().count() * 4 + static_cast<std::int64_t>(priority);
}

QueueBooks::QueueBooks(std::string node, std::uint16_t shards)
    : node_(std::move(node)), shards_(shards) {
  for (const rules::Priority priority : rules::kPriorities) {
    for (std::uint16_t shard = 0; shard < shards; ++shard) {
      QueueBook book;
      book.priority = priority;
      book.shard = shard;
      book.index = books_.size();
      book.queue = queue_key(priority, shard);
      const std::string tag = "{" + book.queue + "}";
      book.mine = book.inflight(node_);
      book.ids = tag + ":ids";
      book.suspect = tag + ":suspect";
      book.users = tag + ":users";
      book.aside = tag + ":aside";
      book.unreadable = tag + ":unreadable";
      book.nodes = tag + ":nodes";
      book.old = tag + ":old";
      book.epoch = tag + ":epoch";
      books_.push_back(std::move(book));
    }
  }
}

}  // namespace notify::stores
