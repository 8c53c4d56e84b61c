#include "stores/redis_beat.hpp"

#include <algorithm>
#include <charconv>

namespace notify::stores {

using base::Errc;
using base::Expected;
using base::fail;
using redis::Reply;

Expected<std::optional<base::WallTime>> to_time(const Reply& reply) {
  if (reply.is_nil()) return std::optional<base::WallTime>();
  const auto text = reply.as_text();
  if (text && text->empty()) return std::optional<base::WallTime>();
  std::int64_t ms = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), ms).ec != std::errc()) {
    return fail(Errc::corrupt, "a key of the queue is not a time");
  }
  return std::optional(base::WallTime(std::chrono::milliseconds(ms)));
}

Expected<Beat> to_beat(const Reply& reply) {
  if (reply.is_error()) return fail(reply.to_error());
  const auto& parts = reply.elements();
  if (parts.size() != 8) return fail(Errc::corrupt, "odd answer of kBeat");
  const auto id = parts[0].as_text();
  const auto age = parts[1].as_integer();
  const auto whole = parts[2].as_text();
  const auto server_time = parts[3].as_integer();
  const auto term = parts[4].as_text();
  const auto lost = to_time(parts[5]);
  const auto until = to_time(parts[6]);
  const auto down_to = to_time(parts[7]);
  if (!id || !age || !whole || !server_time || !term || !lost || !until || !down_to) {
    return fail(Errc::corrupt, "odd answer of kBeat");
  }
  Beat beat;
  beat.standing = {std::string(*id), std::string(*term)};
  beat.age = std::chrono::milliseconds(*age);
  beat.whole = !whole->empty();
  beat.server_time = base::WallTime(std::chrono::milliseconds(*server_time));
  beat.lost_since = *lost;
  if (*until && *down_to) beat.rebuilt = Rebuilt{**until, **down_to};
  return beat;
}

void WorstBeat::add(const Beat& beat, std::chrono::milliseconds young_for) {
  if (beat.whole) return;
  is_young_ = is_young_ || beat.age < young_for;
  if (is_gappy_) {
    lost_since_ = lost_since_ && beat.lost_since
                      ? std::optional(std::min(*lost_since_, *beat.lost_since))
                      : std::nullopt;
    if (rebuilt_ != beat.rebuilt) rebuilt_.reset();
  } else {
    lost_since_ = beat.lost_since;
    rebuilt_ = beat.rebuilt;
  }
  is_gappy_ = true;
}

void WorstBeat::tell(Pulse& pulse) const {
  pulse.epoch = is_young_ ? Epoch::young : is_gappy_ ? Epoch::gappy : Epoch::whole;
  pulse.lost_since = lost_since_;
  pulse.rebuilt = rebuilt_;
}

}  // namespace notify::stores
