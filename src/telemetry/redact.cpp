#include "telemetry/redact.hpp"

#include <fmt/format.h>
#include <bit>
#include <cstring>
#include <random>

namespace notify::telemetry {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
      v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
      v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
    }
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  }
  return word;
}

std::array<std::uint64_t, 2> make_key(const base::Secret& secret) {
  if (secret.empty()) {
    std::random_device device;
    const auto word = [&] { return (std::uint64_t{device()} << 32) | device(); };
    return {word(), word()};
  }
  // Two hashes with different fixed keys make 128 bits of a key of any length.
  return {siphash24({0x6E6F74696679, 1}, secret.reveal()),
          siphash24({0x6E6F74696679, 2}, secret.reveal())};
}

}  // namespace

std::uint64_t siphash24(std::array<std::uint64_t, 2> key, std::string_view text) {
  SipState state{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
                 key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
  const std::uint64_t length = text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) state.absorb(little_endian(text.substr(0, 8)));
  state.absorb(little_endian(text) | (length << 56));
  state.v2 ^= 0xFF;
  state.rounds(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

Redactor::Redactor(const base::Secret& key) : key_(make_key(key)) {}

std::string Redactor::user(const base::UserId& id) const {
  std::array<char, 16> bytes{};
  std::memcpy(bytes.data(), id.uuid().bytes().data(), bytes.size());
  return fmt::format("u-{:016x}", siphash24(key_, {bytes.data(), bytes.size()}));
}

}  // namespace notify::telemetry
