#include "flows/deciding.hpp"

#include <algorithm>
#include <utility>

namespace notify::flows {

using base::Expected;
using std::chrono::milliseconds;

Deciding::User Deciding::known(base::UserId user) const {
  User known{parts_.settings.peek(user), {}};
  if (!known || parts_.users == nullptr) return known;
  const auto standing = parts_.users->peek(user);
  if (!standing) return {};
  known.standing = *standing;
  return known;
}

async::Task<Expected<Deciding::User>> Deciding::read(base::UserId user) {
  std::vector<base::UserId> alone{user};
  auto found = co_await read(std::move(alone));
  co_return std::move(found.front());
}

async::Task<std::vector<Expected<Deciding::User>>> Deciding::read(std::vector<base::UserId> users) {
  std::vector<Expected<User>> read;
  std::vector<base::UserId> missing;
  std::vector<std::size_t> places;
  read.reserve(users.size());
  for (std::size_t i = 0; i < users.size(); ++i) {
    read.emplace_back(User{parts_.settings.peek(users[i]), {}});
    if (*read.back()) continue;
    missing.push_back(users[i]);
    places.push_back(i);
  }
  const auto settings = co_await parts_.settings.find_all(std::move(missing));
  for (std::size_t i = 0; i < settings.size(); ++i) {
    if (settings[i]) {
      read[places[i]]->settings = *settings[i];
    } else {
      read[places[i]] = base::fail(settings[i].error());
    }
  }
  if (parts_.users == nullptr) co_return read;
  const auto standings = co_await parts_.users->find_all(std::move(users));
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i]) read[i]->standing = standings[i];
  }
  co_return read;
}

rules::Circumstances Deciding::facts(const User& user, const rules::Notification& n,
                                     base::WallTime at, const Counted& counted) const {
  const stores::Settings& settings = *user.settings;
  rules::Circumstances facts{n, settings.user, settings.of(n.conversation), at};
  facts.user_is_known = user.standing.is_known;
  facts.user_is_assumed = user.standing.is_assumed;
  facts.is_critical = is_critical(n);
  facts.limit_reached = counted.limit_reached;
  facts.burst_until = counted.burst_until;
  facts.is_groupable = parts_.policy.types.is_groupable(n);
  facts.is_kept = parts_.policy.expiry.is_kept(n.type);
  return facts;
}

bool Deciding::is_limited(const User& user, const rules::Notification& n) const {
  const rules::Circumstances known = facts(user, n, parts_.clock.now(), {});
  return !known.is_critical && rules::decide(known).verdict != rules::Verdict::suppress;
}

bool Deciding::is_grouped(const User& user, const rules::Notification& n) const {
  if (!user.settings->user.group_bursts || !parts_.policy.types.is_groupable(n)) return false;
  if (!parts_.policy.expiry.is_kept(n.type)) return false;
  const auto verdict = rules::decide(facts(user, n, parts_.clock.now(), {})).verdict;
  return verdict == rules::Verdict::deliver || verdict == rules::Verdict::deliver_silently;
}

Deciding::Outcome Deciding::decide(const User& user, const rules::Notification& n,
                                   Counted counted) const {
  Outcome outcome;
  outcome.at = parts_.clock.now();
  outcome.counted = std::move(counted);
  const rules::Circumstances known = facts(user, n, outcome.at, outcome.counted);
  outcome.decision = rules::decide(known);
  outcome.style = rules::style_of(known, outcome.decision);
  if (outcome.decision.until) {
    constexpr std::uint64_t kParts = 100'000;
    const auto part = static_cast<std::int64_t>(std::hash<base::UserId>{}(n.user) % kParts);
    const auto spread = parts_.policy.release_jitter * part / static_cast<std::int64_t>(kParts);
    // Bursts end at all times: nothing has to keep those of all users apart.
    const bool ends_burst = outcome.decision.by == rules::Rule::burst;
    outcome.release_at = *outcome.decision.until + (ends_burst ? milliseconds(0) : spread);
    const auto worth = parts_.policy.expiry.of(n.type);
    if (known.is_kept && n.expires_at == n.begins_at() + worth) {
      outcome.expires_at = outcome.release_at + worth;
    } else {
      // A notification that expires before that is looked at when it expires, to record it.
      outcome.release_at = std::min(outcome.release_at, n.expires_at);
    }
  }
  if (parts_.events.decided) parts_.events.decided(outcome.decision);
  return outcome;
}

std::string Deciding::record(const User& user, const rules::Notification& n,
                             const Outcome& outcome) const {
  const rules::Circumstances known = facts(user, n, outcome.at, outcome.counted);
  // What is said of defaults is said of the time of acceptance.
  const bool is_plain = user.settings == stores::default_settings() && !user.standing.is_assumed &&
                        !known.is_critical && !n.deliver_at;
  if (is_plain && !outcome.decision.by) {
    return std::string(rules::kDecidedByDefaults);
  }
  return rules::encode_decision(known, outcome.decision);
}

}  // namespace notify::flows
