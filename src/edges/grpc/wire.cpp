#include "edges/grpc/wire.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace notify::edges {

bool is_valid(const google::protobuf::Timestamp& at) {
  constexpr std::int64_t kSecondsMax = 253'402'300'799;  // 9999-12-31T23:59:59Z
  return at.seconds() >= 0 && at.seconds() <= kSecondsMax && at.nanos() >= 0 &&
         at.nanos() < 1'000'000'000;
}

std::vector<std::pair<std::string_view, std::string_view>> to_pairs(
    const google::protobuf::Map<std::string, std::string>& map) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const auto& [key, value] : map) pairs.emplace_back(key, value);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

std::string encode_page_token(base::NotificationId last) {
  const auto& bytes = last.uuid().bytes();
  return base::base64url_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<base::NotificationId> decode_page_token(std::string_view token) {
  const std::optional<std::string> decoded = base::base64url_decode(token);
  if (!decoded || decoded->size() != 16) return std::nullopt;
  base::Uuid::Bytes bytes{};
  std::copy(decoded->begin(), decoded->end(), bytes.begin());
  const base::Uuid id(bytes);
  return id.is_v7() ? std::optional(base::NotificationId(id)) : std::nullopt;
}

}  // namespace notify::edges
