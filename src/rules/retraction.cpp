#include "rules/retraction.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "rules/push_service.hpp"

namespace notify::rules {
namespace {

constexpr const char* kIdsKey = "retracted_ids";
constexpr const char* kCollapseIdsKey = "retracted_collapse_ids";

std::string json_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ',';
    base::append_json_string(list, text);
  }
  return list + ']';
}

/// Makes `data` say what `retracts` says.
void write_data(Presentation& p) {
  std::vector<std::string> ids;
  std::vector<std::string> collapse_ids;
  for (const Retracted& one : p.retracts) {
    ids.push_back(one.id.to_string());
    const bool is_new =
        std::find(collapse_ids.begin(), collapse_ids.end(), one.collapse_id) == collapse_ids.end();
    if (!one.collapse_id.empty() && is_new) collapse_ids.push_back(one.collapse_id);
  }
  p.data[kIdsKey] = json_list(ids);
  if (collapse_ids.empty()) {
    p.data.erase(kCollapseIdsKey);
  } else {
    p.data[kCollapseIdsKey] = json_list(collapse_ids);
  }
}

bool fits(const Notification& n) {
  const auto services = push_services();
  return std::all_of(services.begin(), services.end(), [&n](const PushService& service) {
    return service.least_payload(n) <= service.payload_max;
  });
}

}  // namespace

std::vector<Notification> make_retractions(const std::vector<Notification>& originals,
                                           std::optional<std::int32_t> badge,
                                           const std::function<base::NotificationId()>& next_id) {
  std::vector<Notification> retractions;
  const auto begin = [&](const Notification& original) -> Notification& {
    Notification& n = retractions.emplace_back();
    n.id = next_id();
    n.user = original.user;
    n.type = kRetractionType;
    n.priority = original.priority;
    n.expires_at = n.created_at() + kRetractionLife;
    n.presentation.background = true;
    if (badge) n.presentation.data["badge"] = std::to_string(*badge);
    return n;
  };
  const auto add = [](Notification& n, const Notification& original) {
    const Presentation& p = original.presentation;
    n.presentation.retracts.push_back({original.id, p.collapse_id, p.background});
    write_data(n.presentation);
  };
  for (const Priority priority : kPriorities) {
    Notification* open = nullptr;
    for (const Notification& original : originals) {
      if (original.priority != priority) continue;
      if (open != nullptr) {
        Notification longer = *open;
        add(longer, original);
        if (fits(longer)) {
          *open = std::move(longer);
          continue;
        }
      }
      open = &begin(original);
      add(*open, original);
    }
  }
  return retractions;
}

void keep_retracted(Notification& retraction,
                    const std::function<bool(base::NotificationId)>& is_kept) {
  Presentation& p = retraction.presentation;
  std::erase_if(p.retracts, [&is_kept](const Retracted& one) { return !is_kept(one.id); });
  write_data(p);
}

const std::string& collapse_id_of(const Notification& n) {
  static const std::string kNone;
  const std::vector<Retracted>& retracts = n.presentation.retracts;
  if (retracts.empty()) return n.presentation.collapse_id;
  const std::string& first = retracts.front().collapse_id;
  const bool is_shared = std::all_of(retracts.begin(), retracts.end(), [&](const Retracted& one) {
    return one.collapse_id == first;
  });
  return is_shared ? first : kNone;
}

}  // namespace notify::rules
