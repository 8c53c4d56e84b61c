#pragma once
// What happened so far, in numbers: the other half of every test that says "exactly once".

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.hpp"
#include "push-simulator/latency_histogram.hpp"

namespace notify::simulator {

struct RequestRecord {
  std::string_view token;
  std::string_view id;               ///< of the message, as the provider names it
  std::string_view notification_id;  ///< of the payload; may be empty
  std::string_view payload;
  int status = 0;  ///< 0: no answer was given
  std::string_view reason;
  bool accepted = false;  ///< counted as delivered, whether or not the answer went out
  base::WallTime at{};    ///< when it came in
};

enum class Detail : std::uint8_t { full, counters_only };

/// Threading: one thread.
/// Limits:    per token the last kKeptIds ids and one payload; about 100 bytes for each accepted
///            (id, token), which is what finding duplicates costs.
class Ledger {
 public:
  static constexpr std::size_t kKeptIds = 100;

  explicit Ledger(Detail detail) : detail_(detail) {}

  void count(const RequestRecord& record);
  void connection_opened() { ++connections_opened_, ++connections_open_; }
  void connection_closed() { --connections_open_; }
  void goaway_sent() { ++goaways_sent_; }
  void stream_refused() { ++streams_refused_; }
  void streams_seen(std::size_t concurrent) {
    if (concurrent > max_concurrent_streams_) max_concurrent_streams_ = concurrent;
  }
  /// Open connections stay counted.
  void clear();

  [[nodiscard]] nlohmann::json stats() const;
  /// nullopt if nothing was ever sent to this token.
  [[nodiscard]] std::optional<nlohmann::json> token_stats(std::string_view token) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Pair {
    std::uint64_t id_high = 0;
    std::uint64_t id_low = 0;
    std::uint64_t token = 0;
    friend bool operator==(const Pair&, const Pair&) = default;
  };
  struct PairHash {
    std::size_t operator()(const Pair& pair) const {
      return pair.id_high ^ (pair.id_low * 0x9E3779B97F4A7C15ULL) ^ pair.token;
    }
  };
  using Pairs = std::unordered_set<Pair, PairHash>;
  struct PerToken {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::deque<std::string> ids;
    std::string last_payload;
  };

  static Pair pair_of(std::string_view id, std::string_view token);
  void count_accepted(const RequestRecord& record);
  void count_token(const RequestRecord& record);

  Detail detail_;
  std::uint64_t requests_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t notification_duplicates_ = 0;
  std::uint64_t connections_opened_ = 0;
  std::uint64_t connections_open_ = 0;
  std::uint64_t goaways_sent_ = 0;
  std::uint64_t streams_refused_ = 0;
  std::size_t max_concurrent_streams_ = 0;
  std::map<int, std::uint64_t> by_status_;
  std::map<std::string, std::uint64_t, std::less<>> by_reason_;
  Pairs accepted_ids_;
  Pairs accepted_notifications_;
  LatencyHistogram ages_;  ///< on arrival, of accepted notifications whose id is a UUIDv7
  std::unordered_map<std::string, PerToken, Hash, std::equal_to<>> tokens_;
};

}  // namespace notify::simulator
