#pragma once
// The subscriptions that the Web Push service knows: each has an endpoint here. Those of the
// simulator's own browsers have a key pair too; a real browser keeps its key to itself.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "push-simulator/web_push_crypto.hpp"

namespace notify::simulator {

/// An endpoint is the origin, this, and the subscription's id.
inline constexpr std::string_view kWebPushPath = "/wp/";

struct Subscription {
  std::optional<BrowserKeys> keys;  ///< absent: of a real browser
  /// The JSON that a browser gives out; a real one's is known once a device has it.
  std::string token;
  std::string vapid_key;  ///< base64url; empty: any sender may push
  bool ended = false;     ///< the browser has unregistered the channel
};

/// Threading: any.
class Subscriptions {
 public:
  /// `https://host:port`, known once the push service listens.
  void set_origin(std::string origin);
  [[nodiscard]] std::string origin() const;
  [[nodiscard]] std::string endpoint_of(std::string_view id) const;

  /// Makes one, or replaces the one with this id.
  /// Errors: internal if OpenSSL fails.
  [[nodiscard]] base::Expected<std::string> add(const std::string& id, std::string vapid_key);
  /// A real browser's: what is sent to it is passed on unread.
  void add_channel(const std::string& id, std::string vapid_key);
  /// Its endpoint is gone from now on. Does nothing if there is no such channel.
  void end_channel(std::string_view id);
  /// Keeps the token of a device if it is a real browser's with an endpoint here.
  void learn_token(const std::string& token);
  [[nodiscard]] std::shared_ptr<const Subscription> find(std::string_view id) const;
  void clear();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <class Change>
  void change_channel(std::string_view id, const Change& change);

  mutable std::mutex mutex_;
  std::string origin_;
  std::unordered_map<std::string, std::shared_ptr<const Subscription>, Hash, std::equal_to<>> all_;
};

}  // namespace notify::simulator
