#pragma once
// The browsers of the simulator: each has a key pair and an endpoint here.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "push-simulator/web_push_crypto.hpp"

namespace notify::simulator {

struct Subscription {
  BrowserKeys keys;
  std::string token;      ///< the JSON that a browser gives out
  std::string vapid_key;  ///< base64url; empty: any sender may push
};

/// Threading: any.
class Subscriptions {
 public:
  /// `https://host:port`, known once the push service listens.
  void set_origin(std::string origin);
  [[nodiscard]] std::string origin() const;

  /// Makes one, or replaces the one with this id.
  /// Errors: internal if OpenSSL fails.
  [[nodiscard]] base::Expected<std::string> add(const std::string& id, std::string vapid_key);
  [[nodiscard]] std::shared_ptr<const Subscription> find(std::string_view id) const;
  void clear();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  mutable std::mutex mutex_;
  std::string origin_;
  std::unordered_map<std::string, std::shared_ptr<const Subscription>, Hash, std::equal_to<>> all_;
};

}  // namespace notify::simulator
