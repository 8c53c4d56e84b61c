#include "storage/redis/command.hpp"

#include <array>
#include <charconv>

#include "storage/redis/slot.hpp"

namespace notify::redis {

namespace {

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_header(std::string& out, char type, std::size_t value) {
  out.push_back(type);
  append_number(out, static_cast<std::int64_t>(value));
  out.append("\r\n");
}

}  // namespace

Command& Command::arg(std::string_view value) {
  append_header(arguments_, '$', value.size());
  arguments_.append(value).append("\r\n");
  ++count_;
  return *this;
}

Command& Command::arg(std::int64_t value) {
  std::string digits;
  append_number(digits, value);
  return arg(std::string_view(digits));
}

Command& Command::key(std::string_view value) {
  if (!slot_) slot_ = key_slot(value);
  return arg(value);
}

void Command::encode_to(std::string& out) const {
  append_header(out, '*', count_);
  out.append(arguments_);
}

}  // namespace notify::redis
