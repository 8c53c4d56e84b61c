// Redis's replies: whatever the server sends, and however it is cut into pieces.

#include "fuzz/input.hpp"
#include "storage/redis/reply_parser.hpp"

namespace {

using notify::fuzz::Input;

struct Outcome {
  std::size_t replies = 0;
  bool failed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome parse(std::string_view bytes, std::size_t piece) {
  notify::redis::ReplyParser parser({});
  Outcome outcome;
  while (!bytes.empty()) {
    if (!parser.feed(bytes.substr(0, piece))) return {outcome.replies, true};
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      const auto reply = parser.next();
      if (!reply) return {outcome.replies, true};
      if (!*reply) break;
      ++outcome.replies;
    }
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t piece = 1 + input.byte() % 16;
  const Outcome whole = parse(input.rest(), size + 1);
  notify::fuzz::require(parse(input.rest(), piece) == whole, "pieces make no difference");
  return 0;
}
