#include "rules/limits.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace notify::rules {
namespace {

/// Empty: the notification has none such.
std::string identifier(LimitSubject subject, const Notification& n, const LimitedCaller& caller) {
  switch (subject) {
    case LimitSubject::user: return tagged(n.user.to_string());
    case LimitSubject::conversation:
      return n.conversation ? tagged(n.user.to_string(), n.conversation->to_string()) : "";
    case LimitSubject::caller: return caller.identity.empty() ? "" : tagged(caller.identity);
    case LimitSubject::ip: return caller.ip.empty() ? "" : tagged(caller.ip);
    case LimitSubject::device: break;
  }
  return "";
}

}  // namespace

std::string tagged(std::string_view subject, std::string_view rest) {
  std::string text = "{" + std::string(subject) + "}";
  if (!rest.empty()) text += ":" + std::string(rest);
  return text;
}

std::string_view name(LimitSubject subject) {
  switch (subject) {
    case LimitSubject::user: return "user";
    case LimitSubject::conversation: return "conversation";
    case LimitSubject::device: return "device";
    case LimitSubject::caller: return "caller";
    case LimitSubject::ip: return "ip";
  }
  return "";
}

std::optional<LimitSubject> parse_limit_subject(std::string_view text) {
  for (const LimitSubject subject : kLimitSubjects) {
    if (text == name(subject)) return subject;
  }
  return std::nullopt;
}

std::string_view name(LimitWindow window) {
  switch (window) {
    case LimitWindow::minute: return "1m";
    case LimitWindow::hour: return "1h";
    case LimitWindow::day: return "1d";
  }
  return "";
}

std::chrono::milliseconds length(LimitWindow window) {
  switch (window) {
    case LimitWindow::minute: return std::chrono::minutes(1);
    case LimitWindow::hour: return std::chrono::hours(1);
    case LimitWindow::day: break;
  }
  return std::chrono::hours(24);
}

std::string name(const Limit& limit) {
  std::string text = std::string(name(limit.subject)) + "." + std::string(name(limit.window));
  if (!limit.type.empty()) text += "." + limit.type;
  return text;
}

std::string describe(const LimitReached& reached) {
  std::string text = "limit " + reached.limit + " = " + std::to_string(reached.allowed) +
                     ", counted " + std::to_string(reached.counted) + ", left " +
                     std::to_string(reached.left());
  if (reached.resets_at) text += "; its window ends at " + base::to_rfc3339(*reached.resets_at);
  return text;
}

bool LimitPolicy::limits(LimitSubject subject) const {
  return std::any_of(all.begin(), all.end(),
                     [subject](const Limit& limit) { return limit.subject == subject; });
}

std::vector<LimitCounter> LimitPolicy::counters(base::DeviceId device,
                                                std::string_view type) const {
  std::vector<LimitCounter> counters;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Limit& limit = all[i];
    if (limit.subject != LimitSubject::device) continue;
    if (!limit.type.empty() && limit.type != type) continue;
    counters.push_back(
        {name(limit) + ":" + tagged(device.to_string()), limit.allowed, length(limit.window), i});
  }
  return counters;
}

std::vector<LimitCounter> LimitPolicy::counters(const Notification& n,
                                                const LimitedCaller& caller) const {
  std::vector<LimitCounter> counters;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Limit& limit = all[i];
    if (!limit.type.empty() && limit.type != n.type) continue;
    const std::string id = identifier(limit.subject, n, caller);
    if (id.empty()) continue;
    counters.push_back({name(limit) + ":" + id, limit.allowed, length(limit.window), i});
  }
  return counters;
}

OverLimit LimitPolicy::consequence(const LimitCounter& counter) const {
  const LimitSubject subject = all[counter.limit].subject;
  const bool of_sender = subject == LimitSubject::caller || subject == LimitSubject::ip;
  return of_sender ? OverLimit::refuse : over;
}

LimitReached LimitPolicy::reached(const LimitCounter& counter, std::int64_t counted,
                                  base::WallTime resets_at) const {
  const Limit& limit = all[counter.limit];
  const std::string limit_name = name(limit);
  std::string subject = std::string(name(limit.subject)) + counter.name.substr(limit_name.size());
  std::erase_if(subject, [](char c) { return c == '{' || c == '}'; });
  return {limit_name, limit.allowed, counted, resets_at, std::move(subject)};
}

}  // namespace notify::rules
