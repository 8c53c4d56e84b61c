#include "load_generator/request_source.hpp"

#include <cstring>

#include "base/uuid.hpp"

namespace notify::bench {
namespace {

/// `%08x-0000-4000-8000-%012x` of seed and user, as tools/push-simulator/README.md has it; the
/// user's one conversation has 8001 in it.
base::Uuid user_id(std::uint32_t seed, std::uint32_t user) {
  base::Uuid::Bytes bytes{};
  for (unsigned i = 0; i < 4; ++i) {
    bytes[3 - i] = static_cast<std::uint8_t>(seed >> (8 * i));
    bytes[15 - i] = static_cast<std::uint8_t>(user >> (8 * i));
  }
  bytes[6] = 0x40;
  bytes[8] = 0x80;
  return base::Uuid(bytes);
}

constexpr const char* kSender = "Dora Maar";
constexpr const char* kPreview =
    "Are you coming tonight? We start at eight, and Paul brings the records that he promised.";

base::Uuid conversation_id(std::uint32_t seed, std::uint32_t user) {
  base::Uuid::Bytes bytes = user_id(seed, user).bytes();
  bytes[9] = 1;
  return base::Uuid(bytes);
}

base::Uuid random_id(base::Rng& rng) {
  base::Uuid::Bytes bytes{};
  const std::uint64_t high = rng.next();
  const std::uint64_t low = rng.next();
  std::memcpy(bytes.data(), &high, 8);
  std::memcpy(bytes.data() + 8, &low, 8);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  return base::Uuid(bytes);
}

}  // namespace

RequestSource::RequestSource(const LoadOptions& options)
    : users_(options.users),
      seed_(options.seed),
      template_name_(options.template_name),
      rng_(base::system_rng()) {}

void RequestSource::fill(notification::SendNotificationRequest& request) {
  request.set_user_id(user_id(seed_, next_user_).to_string());
  request.set_conversation_id(conversation_id(seed_, next_user_).to_string());
  next_user_ = (next_user_ + 1) % users_;
  request.set_message_id(random_id(rng_).to_string());
  request.set_type("message");
  if (template_name_.empty()) {
    request.set_title(kSender);
    request.set_body(kPreview);
    return;
  }
  auto& use = *request.mutable_template_();
  use.set_name(template_name_);
  use.set_locale("fr-CA");
  (*use.mutable_variables())["sender_name"] = kSender;
  (*use.mutable_variables())["message_preview"] = kPreview;
}

}  // namespace notify::bench
