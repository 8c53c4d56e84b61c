#pragma once
// Randomness as a port, so that a seed replays a run. Not for keys: those come from OpenSSL.

#include <cstdint>
#include <random>

namespace notify::base {

class Rng {
 public:
  virtual ~Rng() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;

  /// Uniform in [0, bound); 0 if bound is 0. The bias of the multiplication is below 2^-32.
  [[nodiscard]] std::uint64_t below(std::uint32_t bound) { return ((next() >> 32) * bound) >> 32; }
};

/// Threading: one thread.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : engine_(seed) {}
  [[nodiscard]] std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

/// A generator seeded by the operating system.
[[nodiscard]] SeededRng system_rng();

}  // namespace notify::base
