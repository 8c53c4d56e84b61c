#pragma once
// Writes a JSON object field by field, in the order of the calls: equal calls give equal bytes.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace notify::base {

/// Texts must be valid UTF-8; keys are not looked at for repeats.
class JsonObject {
 public:
  /// `bytes_expected` spares allocations on the way; it is no bound.
  explicit JsonObject(std::size_t bytes_expected = 0) {
    out_.reserve(bytes_expected);
    out_ += '{';
  }

  JsonObject& text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_string(out_, value);
    return *this;
  }
  JsonObject& text_if_set(std::string_view key, std::string_view value) {
    return value.empty() ? *this : text(key, value);
  }
  JsonObject& number(std::string_view key, std::int64_t value) {
    return raw(key, std::to_string(value));
  }
  JsonObject& flag_if_set(std::string_view key, bool value) {
    return value ? raw(key, "true") : *this;
  }
  JsonObject& object(std::string_view key, JsonObject value) {
    return raw(key, std::move(value).finish());
  }
  /// `json` is a value that is written already.
  JsonObject& raw(std::string_view key, std::string_view json) {
    begin(key);
    out_ += json;
    return *this;
  }

  [[nodiscard]] std::string finish() && {
    out_ += '}';
    return std::move(out_);
  }

 private:
  void begin(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, key);
    out_ += ':';
  }
  std::string out_;
};

}  // namespace notify::base
