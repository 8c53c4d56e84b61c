// The part of deliver that knows retractions: which devices are told, and when.

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "flows/deliver.hpp"
#include "rules/retraction.hpp"

namespace notify::flows {

/// While a worker holds notifications of a user and priority, no other worker gets more of them. So
/// a retraction meets what it retracts on this worker, if that is still on its way to a device: it
/// has the same user and priority. It comes back later then, and follows in each device's line.
async::Task<std::optional<std::vector<rules::Device>>> Deliver::devices_to_clear(
    Held& held, std::vector<rules::Device> devices, const rules::Progress& before, bool was_due) {
  rules::Notification& retraction = held.lease.notification;
  std::vector<base::NotificationId> originals;
  originals.reserve(retraction.presentation.retracts.size());
  for (const rules::Retracted& one : retraction.presentation.retracts) originals.push_back(one.id);
  if (std::any_of(originals.begin(), originals.end(), [this](auto id) { return holds(id); })) {
    co_await put_off(held.lease);
    co_return std::nullopt;
  }
  const auto known = co_await parts_.ledger.progress(std::move(originals), soon());
  if (!known) {
    parts_.events.step_failed("progress", known.error());
    co_await put_off(held.lease);
    co_return std::nullopt;
  }
  // A newer one with the same collapse id may have come since: it is what the screen shows now.
  rules::keep_retracted(retraction, [&known](base::NotificationId id) {
    const auto found = known->find(id);
    return found != known->end() && !found->second.is_superseded;
  });
  std::unordered_set<base::DeviceId> reached;
  for (const rules::Retracted& one : retraction.presentation.retracts) {
    for (const rules::Attempt& attempt : known->at(one.id).attempts) {
      if (rules::may_have_come(attempt)) reached.insert(attempt.device);
    }
  }
  std::erase_if(devices, [&reached](const auto& device) { return !reached.contains(device.id); });
  if (devices.empty()) {
    co_await finish(held.lease, rules::Status::superseded, before, was_due);
    co_return std::nullopt;
  }
  co_return devices;
}

}  // namespace notify::flows
