#pragma once
// Whether users exist, asked of user-service once and remembered for a while. When it does not
// answer, who was known stays known, and of all others the policy decides: so nobody ever waits for
// user-service to come back.

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/async/condition.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "clients/breaker.hpp"
#include "clients/user_directory.hpp"

namespace notify::clients {

struct UserStanding {
  bool is_known = true;
  /// user-service did not answer: by the policy.
  bool is_assumed = false;

  friend bool operator==(const UserStanding&, const UserStanding&) = default;
};

/// Who answered.
enum class StandingFrom : std::uint8_t {
  memory = 1,
  service,
  stale_memory,  ///< since the service did not answer
  policy,        ///< likewise, of who was not remembered
};

struct KnownUsersOptions {
  std::chrono::milliseconds known_ttl{600'000};
  std::chrono::milliseconds unknown_ttl{30'000};  ///< who has just registered need not wait long
  std::size_t users_max = 200'000;
  std::chrono::milliseconds timeout{1000};  ///< of a question with all its tries
  int tries_max = 3;
  std::chrono::milliseconds try_again_after{30};  ///< to twice as long
  std::size_t questions_max = 64;                 ///< at once
  Breaker::Limits breaker;
  bool known_when_down = true;  ///< the policy
  std::function<void(StandingFrom)> on_answer;
  std::function<void(const base::Error&)> on_failure;  ///< of a question
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
/// Errors:    none: see the policy. Callers who ask for a user at once share one question.
/// Limits:    users_max, questions_max.
class KnownUsers {
 public:
  KnownUsers(UserDirectory& directory, async::Timers& timers, base::Rng& rng,
             KnownUsersOptions options, async::OnEscape on_escape);

  /// What is known without asking; unset if nothing is: then find_all() asks.
  [[nodiscard]] std::optional<UserStanding> peek(base::UserId user) const;

  /// One for each, in order.
  [[nodiscard]] async::Task<std::vector<UserStanding>> find_all(std::vector<base::UserId> users);

  /// Waits for the questions that are under way.
  [[nodiscard]] async::Task<void> stop() { return questions_.join(); }

  /// Whether user-service has failed so often that it is not asked for a while.
  [[nodiscard]] bool is_down() const { return breaker_.is_open(); }
  [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

 private:
  struct Entry {
    bool is_known = false;
    base::SteadyTime asked_at;
  };
  using Entries = std::unordered_map<base::UserId, Entry>;
  struct Question;
  using Questions = std::unordered_map<base::UserId, std::shared_ptr<Question>>;

  [[nodiscard]] const Entry* find(base::UserId user) const;
  [[nodiscard]] bool is_fresh(const Entry& entry) const;
  void remember(base::UserId user, bool is_known);
  [[nodiscard]] std::shared_ptr<Question> question_about(base::UserId user);
  async::Task<void> ask(base::UserId user, std::shared_ptr<Question> question);
  async::Task<base::Expected<bool>> ask_service(base::UserId user);
  [[nodiscard]] UserStanding without_answer(base::UserId user) const;

  UserDirectory& directory_;
  async::Timers& timers_;
  base::Rng& rng_;
  KnownUsersOptions options_;
  Breaker breaker_;
  Entries young_;
  Entries old_;  // forgotten when `young_` is full
  Questions asked_;
  std::size_t asking_ = 0;
  async::Condition room_;
  async::TaskGroup questions_;
};

}  // namespace notify::clients
