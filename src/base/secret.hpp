#pragma once
// A string that must not be shown: a device token, a key, a password. It has no stream operator
// and no implicit conversion, so putting one into a log does not compile.

#include <string>
#include <string_view>
#include <utility>

namespace notify::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret() { wipe(); }

  /// The one way to the value; call it where the value leaves the process, nowhere else.
  [[nodiscard]] std::string_view reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  [[nodiscard]] std::size_t size() const { return value_.size(); }

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  void wipe() {
    volatile char* bytes = value_.data();
    for (std::size_t i = 0; i < value_.size(); ++i) bytes[i] = 0;
  }

  std::string value_;
};

}  // namespace notify::base
