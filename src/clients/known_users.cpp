#include "clients/known_users.hpp"

#include <utility>

namespace notify::clients {

using base::Errc;
using base::Expected;

/// One question to user-service, and all who wait for its answer.
struct KnownUsers::Question {
  explicit Question(async::Executor executor) : answered(std::move(executor)) {}
  async::Condition answered;
  std::optional<UserStanding> standing;
};

KnownUsers::KnownUsers(UserDirectory& directory, async::Timers& timers, base::Rng& rng,
                       KnownUsersOptions options, async::OnEscape on_escape)
    : directory_(directory),
      timers_(timers),
      rng_(rng),
      options_(std::move(options)),
      breaker_(options_.breaker),
      room_(timers.executor()),
      questions_(timers.executor(), std::move(on_escape)) {}

const KnownUsers::Entry* KnownUsers::find(base::UserId user) const {
  for (const Entries* entries : {&young_, &old_}) {
    const auto found = entries->find(user);
    if (found != entries->end()) return &found->second;
  }
  return nullptr;
}

bool KnownUsers::is_fresh(const Entry& entry) const {
  const auto ttl = entry.is_known ? options_.known_ttl : options_.unknown_ttl;
  return timers_.clock().steady_now() < entry.asked_at + ttl;
}

std::optional<UserStanding> KnownUsers::peek(base::UserId user) const {
  const Entry* entry = find(user);
  if (entry == nullptr || !is_fresh(*entry)) return std::nullopt;
  options_.on_answer(StandingFrom::memory);
  return UserStanding{.is_known = entry->is_known};
}

async::Task<std::vector<UserStanding>> KnownUsers::find_all(std::vector<base::UserId> users) {
  // All are asked before one is waited for.
  std::vector<std::shared_ptr<Question>> questions;
  std::vector<UserStanding> standings;
  questions.reserve(users.size());
  standings.reserve(users.size());
  for (const base::UserId user : users) {
    const auto known = peek(user);
    questions.push_back(known ? nullptr : question_about(user));
    standings.push_back(known.value_or(UserStanding()));
  }
  for (std::size_t i = 0; i < users.size(); ++i) {
    const std::shared_ptr<Question> question = questions[i];
    if (!question) continue;
    co_await question->answered.wait([q = question.get()] { return q->standing.has_value(); });
    standings[i] = *question->standing;
  }
  co_return standings;
}

std::shared_ptr<KnownUsers::Question> KnownUsers::question_about(base::UserId user) {
  const auto found = asked_.find(user);
  if (found != asked_.end()) return found->second;
  auto question = std::make_shared<Question>(timers_.executor());
  asked_.emplace(user, question);
  if (!questions_.spawn(ask(user, question))) {  // it is stopping
    asked_.erase(user);
    question->standing = without_answer(user);
  }
  return question;
}

async::Task<void> KnownUsers::ask(base::UserId user, std::shared_ptr<Question> question) {
  co_await room_.wait([this] { return asking_ < options_.questions_max; });
  ++asking_;
  const Expected<bool> answer = co_await ask_service(user);
  --asking_;
  room_.notify();
  if (answer) {
    remember(user, *answer);
    question->standing = UserStanding{.is_known = *answer};
    options_.on_answer(StandingFrom::service);
  } else {
    question->standing = without_answer(user);
    options_.on_answer(question->standing->is_assumed ? StandingFrom::policy
                                                      : StandingFrom::stale_memory);
  }
  asked_.erase(user);
  question->answered.notify();
}

async::Task<Expected<bool>> KnownUsers::ask_service(base::UserId user) {
  const base::Deadline deadline = timers_.after(options_.timeout);
  for (int tries = 1;; ++tries) {
    if (!breaker_.let_through(timers_.clock().steady_now())) {
      co_return base::fail(Errc::unavailable, "user-service is not asked: it has failed of late");
    }
    auto answer = co_await directory_.is_known(user, deadline);
    const base::SteadyTime now = timers_.clock().steady_now();
    if (answer) {
      breaker_.succeeded();
      co_return answer;
    }
    breaker_.failed(now);
    options_.on_failure(answer.error());
    const auto wait = options_.try_again_after +
                      std::chrono::milliseconds(rng_.below(
                          static_cast<std::uint32_t>(options_.try_again_after.count()) + 1));
    const bool again = answer.error().code == Errc::unavailable && tries < options_.tries_max &&
                       wait < deadline.left(now);
    if (!again) co_return answer;
    co_await timers_.sleep_for(wait);
  }
}

/// Who was known stays known; who was not may have registered meanwhile.
UserStanding KnownUsers::without_answer(base::UserId user) const {
  const Entry* entry = find(user);
  if (entry != nullptr && entry->is_known) return {.is_known = true};
  return {.is_known = options_.known_when_down, .is_assumed = true};
}

void KnownUsers::remember(base::UserId user, bool is_known) {
  if (young_.size() >= options_.users_max / 2) old_ = std::exchange(young_, Entries());
  young_.insert_or_assign(user, Entry{is_known, timers_.clock().steady_now()});
}

}  // namespace notify::clients
