#pragma once
// One answer of Redis (RESP2), owning its data.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/expected.hpp"

namespace notify::redis {

/// Errors: reading a reply as something it is not is Errc::corrupt; the detail names the types
/// only.
class Reply {
 public:
  enum class Type : std::uint8_t { nil, integer, status, string, array, error };

  Reply() = default;
  [[nodiscard]] static Reply nil() { return {}; }
  [[nodiscard]] static Reply integer(std::int64_t value);
  [[nodiscard]] static Reply status(std::string text) { return {Type::status, std::move(text)}; }
  [[nodiscard]] static Reply string(std::string text) { return {Type::string, std::move(text)}; }
  [[nodiscard]] static Reply error(std::string text) { return {Type::error, std::move(text)}; }
  [[nodiscard]] static Reply array(std::vector<Reply> elements = {});

  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] bool is_nil() const { return type_ == Type::nil; }
  [[nodiscard]] bool is_error() const { return type_ == Type::error; }

  [[nodiscard]] base::Expected<std::int64_t> as_integer() const;
  /// Of a string or a status; valid as long as the reply.
  [[nodiscard]] base::Expected<std::string_view> as_text() const;
  /// The text, moved out; empty if there is none.
  [[nodiscard]] std::string take_text() { return std::exchange(text_, {}); }
  /// Empty if this is not an array.
  [[nodiscard]] std::vector<Reply>& elements() { return elements_; }
  [[nodiscard]] const std::vector<Reply>& elements() const { return elements_; }

  /// What an error reply means for the caller. Only for is_error().
  [[nodiscard]] base::Error to_error() const;
  /// `NOSCRIPT`, `WRONGTYPE`, ...: the first word of an error.
  [[nodiscard]] std::string_view error_prefix() const;

  friend bool operator==(const Reply&, const Reply&) = default;

 private:
  Reply(Type type, std::string text) : type_(type), text_(std::move(text)) {}

  Type type_ = Type::nil;
  std::int64_t integer_ = 0;
  std::string text_;
  std::vector<Reply> elements_;
};

[[nodiscard]] std::string_view name(Reply::Type type);

}  // namespace notify::redis
