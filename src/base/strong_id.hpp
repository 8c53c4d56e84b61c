#pragma once
// Ids that cannot be mistaken for one another: a UserId is not a DeviceId, though both are UUIDs.

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"

namespace notify::base {

template <class Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Uuid uuid) : uuid_(uuid) {}

  [[nodiscard]] static std::optional<StrongId> parse(std::string_view text) {
    const std::optional<Uuid> uuid = Uuid::parse(text);
    if (!uuid) return std::nullopt;
    return StrongId(*uuid);
  }

  [[nodiscard]] const Uuid& uuid() const { return uuid_; }
  [[nodiscard]] std::string to_string() const { return uuid_.to_string(); }

  friend constexpr auto operator<=>(const StrongId&, const StrongId&) = default;

 private:
  Uuid uuid_;
};

using UserId = StrongId<struct UserIdTag>;
using ConversationId = StrongId<struct ConversationIdTag>;
using MessageId = StrongId<struct MessageIdTag>;
using DeviceId = StrongId<struct DeviceIdTag>;  ///< auth-service's id of a device (D-2)
using NotificationId = StrongId<struct NotificationIdTag>;
using AttemptId = StrongId<struct AttemptIdTag>;
using ReplayJobId = StrongId<struct ReplayJobIdTag>;

}  // namespace notify::base

template <class Tag>
struct std::hash<notify::base::StrongId<Tag>> {
  std::size_t operator()(const notify::base::StrongId<Tag>& id) const noexcept {
    return std::hash<notify::base::Uuid>{}(id.uuid());
  }
};
