#pragma once
// Turns bytes from Redis into replies, whatever the pieces they arrive in. Sans-io, over hiredis'
// reader.

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/expected.hpp"
#include "storage/redis/reply.hpp"

struct redisReader;

namespace notify::redis {

struct ReplyLimits {
  std::size_t bytes_max = std::size_t{32}
                          << 20;         ///< of all strings in one reply, or not yet parsed
  std::size_t elements_max = 1'000'000;  ///< in one reply, nested ones included
};

/// Threading: one thread.
/// Errors:    Errc::corrupt on a protocol error or a broken limit; final, the connection must go.
/// Limits:    ReplyLimits; arrays nest at most 7 deep (hiredis). A claimed size allocates nothing.
class ReplyParser {
 public:
  explicit ReplyParser(ReplyLimits limits = {});
  ~ReplyParser();
  ReplyParser(const ReplyParser&) = delete;
  ReplyParser& operator=(const ReplyParser&) = delete;

  [[nodiscard]] base::Expected<void> feed(std::string_view bytes);

  /// The next complete reply; nullopt if more bytes are needed.
  [[nodiscard]] base::Expected<std::optional<Reply>> next();

  struct Build;  ///< the reply being built; for the parser's own callbacks

 private:
  struct FreeReader {
    void operator()(redisReader* reader) const;
  };

  ReplyLimits limits_;
  std::unique_ptr<Build> build_;
  std::unique_ptr<redisReader, FreeReader> reader_;
};

}  // namespace notify::redis
