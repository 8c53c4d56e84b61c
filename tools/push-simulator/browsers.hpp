#pragma once
// The push server that real browsers are connected to. A browser registers a channel and gets an
// endpoint of the Web Push service; an accepted message is passed on to the browser, still
// encrypted, and waits here until the browser has acknowledged it. No socket, no clock of its own.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "base/uuid.hpp"
#include "push-simulator/subscriptions.hpp"

namespace notify::simulator {

/// The connection to one browser.
class BrowserLink {
 public:
  virtual ~BrowserLink() = default;
  virtual void send(std::string text) = 0;
  /// Ends the connection after what was sent so far. `why` is static text, at most 123 bytes.
  virtual void close(std::string_view why) = 0;
  /// Ends it at once, as if the network had failed.
  virtual void cut() = 0;
};

/// A message that the Web Push service has accepted.
struct RelayedMessage {
  std::string_view id;
  std::string_view body;   ///< encrypted, aes128gcm
  std::string_view topic;  ///< empty: it replaces no other
  std::chrono::seconds ttl{0};
};

/// Source:    mozilla-push-service.readthedocs.io, "Design"; Firefox, PushServiceWebSocket.sys.mjs;
///            RFC 8030 §5.2 (TTL), §5.4 (topics).
/// Threading: one thread.
/// Lifetime:  everything referred to outlives this; a link is alive until disconnected().
/// Limits:    1,000 browsers; each has 100 channels, ended ones included, and 100 waiting messages.
///            For one more message the oldest is dropped.
class Browsers {
 public:
  static constexpr std::size_t kMaxBrowsers = 1000;
  static constexpr std::size_t kMaxChannels = 100;
  static constexpr std::size_t kMaxWaiting = 100;
  static constexpr std::chrono::seconds kMaxTtl = std::chrono::hours(30 * 24);

  Browsers(Subscriptions& subscriptions, const base::Clock& clock, base::Rng& rng)
      : subscriptions_(subscriptions), clock_(clock), ids_(clock, rng) {}

  /// One message of a browser. A message that is not of the protocol closes the connection.
  void receive(BrowserLink& link, std::string_view text);
  /// Messages that the browser has not acknowledged are sent again when it returns.
  void disconnected(BrowserLink& link);

  /// Passes a message on, or keeps it until the browser is back. Does nothing if the subscription
  /// is not a browser's channel.
  void deliver(std::string_view subscription, const RelayedMessage& message);

  /// Ends all connections. Browsers come back by themselves.
  void cut_all();
  /// Forgets all browsers, too.
  void clear();
  /// Forgets the numbers only.
  void clear_counts();
  [[nodiscard]] nlohmann::json stats();
  /// nullopt if the subscription is not a browser's channel.
  [[nodiscard]] std::optional<nlohmann::json> channel_stats(std::string_view subscription);

 private:
  using CountsByCode = std::map<std::int64_t, std::uint64_t>;
  struct Message {
    std::string id;
    std::string channel;
    std::string body;
    std::string topic;
    std::chrono::seconds ttl{0};
    base::WallTime expires_at;
    bool on_its_way = false;  ///< sent over the connection of now
    std::uint32_t times_sent = 0;
  };
  struct Browser {
    BrowserLink* link = nullptr;                  ///< null: it is away
    std::map<std::string, std::string> channels;  ///< to the id of their subscription
    std::size_t enrolled = 0;                     ///< channels so far, ended ones too
    std::deque<Message> waiting;
  };
  struct Channel {
    std::string browser;
    std::string id;
    bool registered = true;
    CountsByCode acks{};
  };
  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t sent_again = 0;
    std::uint64_t replaced = 0;
    std::uint64_t expired = 0;
    std::uint64_t dropped = 0;
    std::uint64_t closed = 0;  ///< connections, over what they said
    CountsByCode acks;
    CountsByCode nacks;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  void understand(BrowserLink& link, const nlohmann::json& message);
  void hello(BrowserLink& link, const nlohmann::json& message);
  void enroll(BrowserLink& link, const nlohmann::json& message, const std::string& uaid);
  void unregister(BrowserLink& link, const nlohmann::json& message, Browser& browser);
  void take_acks(BrowserLink& link, const nlohmann::json& message, Browser& browser);
  void refuse(BrowserLink& link, std::string_view why);
  void send(Browser& browser, Message& message);
  void drop_expired(Browser& browser);

  Subscriptions& subscriptions_;
  const base::Clock& clock_;
  base::UuidV7Generator ids_;
  std::unordered_map<std::string, Browser> browsers_;                         ///< by uaid
  std::unordered_map<const BrowserLink*, std::string> online_;                ///< to the uaid
  std::unordered_map<std::string, Channel, Hash, std::equal_to<>> channels_;  ///< by subscription
  Counts counts_;
};

}  // namespace notify::simulator
