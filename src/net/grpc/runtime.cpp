#include "net/grpc/runtime.hpp"

#include <absl/synchronization/mutex.h>

namespace notify::net {

void prepare_grpc() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

}  // namespace notify::net
