#pragma once
// Divides one bound among callers who come and go, so that the busiest cannot shut the others out.
// Everybody may hold up to four times what is still free: one caller alone gets four fifths, two
// get four ninths each, and there is always room for one more.
// Source: dynamic thresholds, A. K. Choudhury and E. L. Hahne, IEEE/ACM Trans. Networking 6(2),
// 1998.

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace notify::base {

/// Threading: none of its own.
/// Limits:    remembers only callers who hold something, so at most `limit` of them.
class FairShares {
 public:
  explicit FairShares(std::size_t limit) : limit_(limit) {}

  /// Takes `count` or nothing.
  [[nodiscard]] bool take(std::string_view caller, std::size_t count) {
    constexpr std::size_t kShare = 4;
    const auto found = held_.find(caller);
    const std::size_t held = found == held_.end() ? 0 : found->second;
    const std::size_t free = limit_ - taken_;
    if (count > free || held + count > kShare * free) return false;
    taken_ += count;
    if (found == held_.end()) {
      held_.emplace(caller, count);
    } else {
      found->second += count;
    }
    return true;
  }

  void give_back(std::string_view caller, std::size_t count) {
    const auto found = held_.find(caller);
    taken_ -= count;
    found->second -= count;
    if (found->second == 0) held_.erase(found);
  }

  [[nodiscard]] std::size_t taken() const { return taken_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  std::size_t limit_;
  std::size_t taken_ = 0;
  std::map<std::string, std::size_t, std::less<>> held_;
};

/// Shares that are given back when this goes out of scope, or before.
/// Lifetime: `shares` outlives this.
class HeldShares {
 public:
  /// Holds `count` shares or, if they cannot be had, none.
  HeldShares(FairShares& shares, std::string caller, std::size_t count)
      : shares_(shares), caller_(std::move(caller)), granted_(take(count)) {}
  HeldShares(const HeldShares&) = delete;
  HeldShares& operator=(const HeldShares&) = delete;
  ~HeldShares() {
    if (count_ > 0) shares_.give_back(caller_, count_);
  }

  /// Whether the first ones could be had.
  explicit operator bool() const { return granted_; }

  /// Takes `count` more, or none.
  [[nodiscard]] bool take(std::size_t count) {
    if (count > 0 && !shares_.take(caller_, count)) return false;
    count_ += count;
    return true;
  }
  /// Some of those that are held.
  void give_back(std::size_t count) {
    if (count > 0) shares_.give_back(caller_, count);
    count_ -= count;
  }

 private:
  FairShares& shares_;
  std::string caller_;
  std::size_t count_ = 0;
  bool granted_;
};

}  // namespace notify::base
