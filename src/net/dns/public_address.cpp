#include "net/dns/public_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace notify::net {
namespace {

namespace ip = boost::asio::ip;

struct V4Range {
  std::uint32_t first;
  unsigned bits;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c) {
  return (a << 24) | (b << 16) | (c << 8);
}

constexpr std::array kSpecialV4 = {
    V4Range{v4(0, 0, 0), 8},        // this network
    V4Range{v4(10, 0, 0), 8},       // private
    V4Range{v4(100, 64, 0), 10},    // shared, behind a carrier's NAT
    V4Range{v4(127, 0, 0), 8},      // loopback
    V4Range{v4(169, 254, 0), 16},   // link-local, and metadata servers
    V4Range{v4(172, 16, 0), 12},    // private
    V4Range{v4(192, 0, 0), 24},     // protocol assignments
    V4Range{v4(192, 0, 2), 24},     // documentation
    V4Range{v4(192, 88, 99), 24},   // relays of 6to4
    V4Range{v4(192, 168, 0), 16},   // private
    V4Range{v4(198, 18, 0), 15},    // benchmarks
    V4Range{v4(198, 51, 100), 24},  // documentation
    V4Range{v4(203, 0, 113), 24},   // documentation
    V4Range{v4(224, 0, 0), 4},      // multicast
    V4Range{v4(240, 0, 0), 4},      // reserved, broadcast
};

bool is_public_v4(ip::address_v4 address) {
  const std::uint32_t bits = address.to_uint();
  return std::none_of(kSpecialV4.begin(), kSpecialV4.end(), [bits](const V4Range& range) {
    return (bits ^ range.first) >> (32 - range.bits) == 0;
  });
}

/// Only 2000::/3 is handed out for the internet. The rest is loopback, private, link-local,
/// multicast, or stands for IPv4.
bool is_public_v6(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  const unsigned first = (unsigned{bytes[0]} << 8) | bytes[1];
  const unsigned second = (unsigned{bytes[2]} << 8) | bytes[3];
  if (first >> 13 != 1) return false;
  if (first == 0x2001 && second < 0x0200) return false;   // 2001::/23: Teredo and others
  if (first == 0x2001 && second == 0x0db8) return false;  // documentation
  if (first == 0x2002) return false;                      // 6to4
  return !(first == 0x3fff && second < 0x1000);           // documentation
}

}  // namespace

bool is_public(const ip::address& address) {
  return address.is_v4() ? is_public_v4(address.to_v4()) : is_public_v6(address.to_v6());
}

}  // namespace notify::net
