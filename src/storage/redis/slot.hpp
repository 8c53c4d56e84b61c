#pragma once
// Which of Redis Cluster's 16384 slots a key belongs to. Keys that one script uses must share a
// slot, which is what the hash tags in our key names are for (decision D-10).
// Source: Redis cluster specification, "Key distribution model" and "Hash tags".

#include <cstdint>
#include <string_view>

namespace notify::redis {

constexpr std::uint16_t kSlots = 16384;

/// CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected.
[[nodiscard]] std::uint16_t crc16(std::string_view bytes);

/// The slot of the hash tag of `key` if it has one that is not empty, else of the whole key.
[[nodiscard]] std::uint16_t key_slot(std::string_view key);

}  // namespace notify::redis
