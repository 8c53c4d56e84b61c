#include "raw/queue_script.hpp"

#include "stores/redis_queue_scripts.hpp"

namespace notify::bench {

std::string queue_script(std::string_view name) {
  namespace scripts = stores::scripts;
  const auto& script = name == "enqueue" ? scripts::kEnqueue
                       : name == "lease" ? scripts::kLease
                                         : scripts::kAck;
  return script.source();
}

}  // namespace notify::bench
