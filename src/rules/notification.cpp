#include "rules/notification.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace notify::rules {
namespace {

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<Priority, 3> kPriorityNames = {{
    {Priority::high, "high"},
    {Priority::medium, "medium"},
    {Priority::low, "low"},
}};
constexpr Names<Platform, 4> kPlatformNames = {{
    {Platform::ios, "ios"},
    {Platform::android, "android"},
    {Platform::web, "web"},
    {Platform::unknown, "unknown"},
}};
constexpr Names<Environment, 3> kEnvironmentNames = {{
    {Environment::unknown, "unknown"},
    {Environment::production, "production"},
    {Environment::sandbox, "sandbox"},
}};
constexpr Names<Status, 10> kStatusNames = {{
    {Status::pending, "pending"},
    {Status::deferred, "deferred"},
    {Status::sent, "sent"},
    {Status::failed, "failed"},
    {Status::expired, "expired"},
    {Status::suppressed, "suppressed"},
    {Status::cancelled, "cancelled"},
    {Status::superseded, "superseded"},
    {Status::delivered, "delivered"},
    {Status::opened, "opened"},
}};
constexpr Names<AttemptStatus, 5> kAttemptStatusNames = {{
    {AttemptStatus::delivered, "delivered"},
    {AttemptStatus::token_gone, "token_gone"},
    {AttemptStatus::failed, "failed"},
    {AttemptStatus::retry, "retry"},
    {AttemptStatus::unknown, "unknown"},
}};

template <class Enum, std::size_t N>
std::string_view name_in(const Names<Enum, N>& names, Enum value) {
  for (const auto& [candidate, text] : names) {
    if (candidate == value) return text;
  }
  return "?";
}

template <class Enum, std::size_t N>
std::optional<Enum> parse_in(const Names<Enum, N>& names, std::string_view text) {
  for (const auto& [value, candidate] : names) {
    if (candidate == text) return value;
  }
  return std::nullopt;
}

/// SplitMix64's finalizer (Steele, Lea, Flood 2014): spreads every input bit over the output.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

std::uint64_t fold(std::uint64_t seed, const base::Uuid& id) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, id.bytes().data(), 8);
  std::memcpy(&low, id.bytes().data() + 8, 8);
  return mix(mix(seed ^ high) ^ low);
}

}  // namespace

std::string_view name(Priority priority) { return name_in(kPriorityNames, priority); }
std::optional<Priority> parse_priority(std::string_view text) {
  return parse_in(kPriorityNames, text);
}
std::string_view name(Platform platform) { return name_in(kPlatformNames, platform); }
std::string_view name(Environment environment) { return name_in(kEnvironmentNames, environment); }
std::string_view name(Status status) { return name_in(kStatusNames, status); }
std::optional<Status> parse_status(std::string_view text) { return parse_in(kStatusNames, text); }
std::string_view name(AttemptStatus status) { return name_in(kAttemptStatusNames, status); }
std::optional<AttemptStatus> parse_attempt_status(std::string_view text) {
  return parse_in(kAttemptStatusNames, text);
}

bool is_final(Status status) {
  return status != Status::pending && status != Status::deferred && status != Status::sent;
}

bool is_final(AttemptStatus status) {
  return status != AttemptStatus::retry && status != AttemptStatus::unknown;
}

base::AttemptId attempt_id(base::NotificationId notification, base::DeviceId device,
                           std::int32_t retry_count) {
  // Two differently seeded 64-bit hashes: attempts of one notification are few, so 74 bits do.
  std::array<std::uint8_t, 10> bits{};
  const auto tries = static_cast<std::uint64_t>(retry_count);
  const std::uint64_t first = fold(fold(1 + tries, notification.uuid()), device.uuid());
  const std::uint64_t second = fold(fold(~tries, notification.uuid()), device.uuid());
  std::memcpy(bits.data(), &first, 8);
  std::memcpy(bits.data() + 8, &second, 2);
  return base::AttemptId(base::uuid_v7_from(notification.uuid().instant(), bits));
}

}  // namespace notify::rules
