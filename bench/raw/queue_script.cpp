#include "raw/queue_script.hpp"

#include "stores/redis_queue_scripts.hpp"

namespace notify::bench {

std::string queue_script(std::string_view name) {
  const auto& script = name == "lease" ? stores::scripts::kLease : stores::scripts::kAck;
  return script.source();
}

}  // namespace notify::bench
