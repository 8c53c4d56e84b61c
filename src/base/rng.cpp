#include "base/rng.hpp"

namespace notify::base {

SeededRng system_rng() {
  std::random_device device;
  const std::uint64_t high = device();
  return SeededRng((high << 32) | device());
}

}  // namespace notify::base
