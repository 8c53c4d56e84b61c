#pragma once
// The text of the queue's scripts, for redis-benchmark to run the very same.

#include <string>
#include <string_view>

namespace notify::bench {

/// `name`: lease or ack.
[[nodiscard]] std::string queue_script(std::string_view name);

}  // namespace notify::bench
