#pragma once
// The requests that a run sends: each with a `message_id` of its own, so that none is a repeat, to
// as many users in turn as the simulator has devices for, each in their one conversation. A request
// is about 240 bytes.

#include <cstdint>
#include <string>

#include "base/rng.hpp"
#include "load_generator/options.hpp"
#include "notification/notification.pb.h"

namespace notify::bench {

/// Threading: one thread.
class RequestSource {
 public:
  explicit RequestSource(const LoadOptions& options);

  /// Overwrites `request`, whose memory is reused.
  void fill(notification::SendNotificationRequest& request);

 private:
  std::uint32_t users_;
  std::uint32_t seed_;
  std::string template_name_;
  std::uint32_t next_user_ = 0;
  base::SeededRng rng_;
};

}  // namespace notify::bench
