#include "stores/redis_queue_keys.hpp"

#include <utility>

namespace notify::stores {

std::string queue_key(rules::Priority priority, std::uint16_t shard) {
  std::string key = "notification:queue:" + std::string(rules::name(priority));
  if (shard > 0) key += ":" + std::to_string(shard);
  return key;
}

std::string heartbeat_key(std::string_view node) {
  return "notification:node:" + std::string(node);
}

std::int64_t queue_score(base::WallTime due_at, rules::Priority priority) {
  return due_at.time_since_epoch().count() * 4 + static_cast<std::int64_t>(priority);
}

QueueBooks::QueueBooks(std::string node, std::uint16_t shards)
    : node_(std::move(node)), shards_(shards) {
  for (const rules::Priority priority : rules::kPriorities) {
    for (std::uint16_t shard = 0; shard < shards; ++shard) {
      QueueBook book{priority, shard, queue_key(priority, shard), {}, {}, {}, {}, {}};
      const std::string tag = "{" + book.queue + "}";
      book.mine = book.inflight(node_);
      book.suspect = tag + ":suspect";
      book.users = tag + ":users";
      book.old = tag + ":old";
      book.epoch = tag + ":epoch";
      books_.push_back(std::move(book));
    }
  }
}

}  // namespace notify::stores
