#pragma once
// Each provider needs these of its worker: time, chance, and a way to report what escapes.

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"

namespace notify::providers {

/// Lifetime: what it refers to outlives the providers.
struct Surroundings {
  async::Timers& timers;
  base::Rng& rng;
  async::OnEscape on_escape;
};

}  // namespace notify::providers
