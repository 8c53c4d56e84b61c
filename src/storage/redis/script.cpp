#include "storage/redis/script.hpp"

#include <boost/uuid/detail/sha1.hpp>
#include <utility>

namespace notify::redis {

namespace {

/// A name, not a protection: Redis identifies scripts by SHA-1.
std::string sha1_hex(const std::string& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  boost::uuids::detail::sha1 hash;
  hash.process_bytes(text.data(), text.size());
  boost::uuids::detail::sha1::digest_type digest;
  hash.get_digest(digest);
  std::string hex;
  for (const unsigned word : digest) {
    for (unsigned shift = 32; shift > 0; shift -= 4)
      hex.push_back(kHex[(word >> (shift - 4)) & 15U]);
  }
  return hex;
}

}  // namespace

Script::Script(std::string source) : source_(std::move(source)), sha1_(sha1_hex(source_)) {}

}  // namespace notify::redis
