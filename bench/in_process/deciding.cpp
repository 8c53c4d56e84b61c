#include "in_process/deciding.hpp"

#include <absl/container/flat_hash_map.h>
#include <malloc.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/rng.hpp"
#include "flows/deciding.hpp"

namespace notify::bench {
namespace {

using namespace std::chrono_literals;
using Users = std::vector<base::UserId>;

constexpr int kRounds = 10;
const char* const kZone = "Europe/Paris";

/// A store in which every user has settings made by `make`.
class EverybodyHas final : public stores::SettingsSource {
 public:
  using Make = stores::SettingsPtr (*)();
  explicit EverybodyHas(Make make) : make_(make) {}

  async::Task<base::Expected<stores::LoadedSettings>> load(Users users, base::Deadline) override {
    stores::LoadedSettings loaded;
    loaded.at = base::SystemClock().now();
    loaded.settings.reserve(users.size());
    for (std::size_t i = 0; i < users.size(); ++i) loaded.settings.push_back(make_());
    co_return loaded;
  }
  async::Task<base::Expected<stores::SettingsChanges>> changed_since(base::WallTime since,
                                                                     std::int32_t,
                                                                     base::Deadline) override {
    co_return stores::SettingsChanges{{}, base::SystemClock().now(), since};
  }

 private:
  Make make_;
};

/// Nobody to share with.
class NotShared final : public stores::SettingsSharing {
 public:
  async::Task<base::Expected<std::vector<std::optional<stores::SharedSettings>>>> find(
      Users users, base::Deadline) override {
    co_return std::vector<std::optional<stores::SharedSettings>>(users.size());
  }
  async::Task<base::Expected<void>> put(std::vector<stores::SharedSettings>,
                                        base::Deadline) override {
    co_return base::Expected<void>();
  }
  async::Task<base::Expected<void>> forget(Users, base::Deadline) override {
    co_return base::Expected<void>();
  }
};

base::TimeZone zone() {
  const auto found = base::TimeZone::find(kZone);
  if (!found) throw std::runtime_error(std::string("the system has no zone ") + kZone);
  return *found;
}

/// Quiet hours in so many minutes from now, of an hour.
rules::QuietHours hour_of_quiet(std::chrono::minutes from_now) {
  const auto shown = zone().read(base::SystemClock().now()).shown;
  const auto midnight = std::chrono::floor<std::chrono::days>(shown);
  const auto start = std::chrono::floor<std::chrono::minutes>(shown - midnight) + from_now + 24h;
  rules::QuietHours hours{.start = start % 24h, .end = (start + 1h) % 24h, .zone = zone()};
  hours.exceptions = {"call"};
  return hours;
}

const base::ConversationId kConversation =
    base::ConversationId::parse("018f3c2a-0000-4000-8000-0000000000cc").value();

stores::SettingsPtr settings_with(std::chrono::minutes quiet_from_now) {
  auto settings = std::make_shared<stores::Settings>();
  settings->user.revision = 3;
  settings->user.types = {{"reaction", false}, {"marketing", false}, {"message", true}};
  settings->user.quiet_hours = hour_of_quiet(quiet_from_now);
  settings->conversations[kConversation].revision = 1;
  settings->conversations[kConversation].level = rules::NotificationLevel::all;
  return settings;
}
stores::SettingsPtr nothing_set() { return stores::default_settings(); }
stores::SettingsPtr much_set() { return settings_with(6h); }
stores::SettingsPtr quiet_now() { return settings_with(-30min); }

/// A cache with all the users in it, and the loop that it needs.
class FilledCache {
 public:
  FilledCache(const Users& users, EverybodyHas::Make make)
      : source_(make),
        timers_(context_.get_executor(), clock_),
        cache_(source_, sharing_, timers_, options(users.size()),
               {[](stores::SettingsFrom) {}, [](std::string_view, const base::Error&) {}}, &fail) {
    const std::size_t before = allocated();
    cache_.start();
    finish(fill(users));
    bytes_a_user_ = static_cast<double>(allocated() - before) / static_cast<double>(users.size());
  }
  FilledCache(const FilledCache&) = delete;
  FilledCache& operator=(const FilledCache&) = delete;
  ~FilledCache() { finish(cache_.stop()); }

  stores::SettingsCache& cache() { return cache_; }
  const base::Clock& clock() const { return clock_; }
  double bytes_a_user() const { return bytes_a_user_; }

 private:
  static std::size_t allocated() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;  // what is large is mapped
  }
  static void fail(std::string_view what) { throw std::runtime_error(std::string(what)); }
  static stores::SettingsCacheOptions options(std::size_t users) {
    stores::SettingsCacheOptions options;
    options.users_max = 4 * users;
    options.stale_max = 1h;  // nobody looks for changes while it is measured
    return options;
  }
  async::Task<void> fill(Users users) {
    co_await timers_.sleep_for(20ms);  // the first look
    const auto found = co_await cache_.find_all(std::move(users));
    for (const auto& one : found) {
      if (!one) throw std::runtime_error(one.error().detail);
    }
  }
  void finish(async::Task<void> task) {
    bool ended = false;
    boost::asio::co_spawn(context_, std::move(task), [&](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
      ended = true;
    });
    context_.restart();
    while (!ended) context_.run_one();
  }

  boost::asio::io_context context_;
  base::SystemClock clock_;
  EverybodyHas source_;
  NotShared sharing_;
  async::Timers timers_;
  stores::SettingsCache cache_;
  double bytes_a_user_ = 0;
};

/// Of one call of `act`, for each of the users in turn; the best of the rounds.
template <class Act>
double nanoseconds(const Users& users, const base::Clock& clock, Act act) {
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < kRounds; ++round) {
    const auto began = clock.steady_now();
    for (const base::UserId user : users) act(user);
    const std::chrono::duration<double, std::nano> took = clock.steady_now() - began;
    best = std::min(best, took.count() / static_cast<double>(users.size()));
  }
  return best;
}

/// Keeps the compiler from leaving out what nobody looks at.
template <class Value>
void use(const Value& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

Users some_users(std::uint32_t count) {
  Users users;
  users.reserve(count);
  base::SeededRng rng(1);
  for (std::uint32_t i = 0; i < count; ++i) {
    base::Uuid::Bytes bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
    users.emplace_back(base::Uuid(bytes));
  }
  return users;
}

struct Measured {
  double decision_ns = 0;
  double lookup_ns = 0;
  double bytes_a_user = 0;
};

Measured measure(const Users& users, EverybodyHas::Make make, rules::Verdict expected) {
  FilledCache filled(users, make);
  flows::Deciding deciding({filled.cache(), filled.clock(), {}, {}});
  rules::Notification n;
  base::SeededRng rng(1);
  base::UuidV7Generator ids(filled.clock(), rng);
  n.id = base::NotificationId(ids.next());
  n.conversation = kConversation;
  n.type = "message";
  n.expires_at = n.created_at() + 4h;
  Measured measured;
  measured.bytes_a_user = filled.bytes_a_user();
  measured.lookup_ns =
      nanoseconds(users, filled.clock(), [&](base::UserId user) { use(deciding.known(user)); });
  const flows::Deciding::User known = deciding.known(users.front());
  if (!known || deciding.decide(known, n).decision.verdict != expected) {
    throw std::logic_error("it decides otherwise than this measurement says");
  }
  measured.decision_ns = nanoseconds(users, filled.clock(), [&](base::UserId user) {
    n.user = user;
    use(deciding.decide(known, n));
  });
  return measured;
}

}  // namespace

std::string measure_deciding(const DecidingOptions& options, const base::Clock& clock) {
  const Users users = some_users(options.users);
  nlohmann::json result{{"users", options.users}};
  const auto add = [&](const char* name, const Measured& measured) {
    result["settings"][name] = {{"decision_ns", measured.decision_ns},
                                {"lookup_ns", measured.lookup_ns},
                                {"bytes_a_user", measured.bytes_a_user}};
  };
  add("nothing set", measure(users, &nothing_set, rules::Verdict::deliver));
  add("much set", measure(users, &much_set, rules::Verdict::deliver));
  add("quiet now", measure(users, &quiet_now, rules::Verdict::defer));

  absl::flat_hash_map<base::Uuid, std::uint32_t> map;
  map.reserve(users.size());
  for (const base::UserId user : users) map.emplace(user.uuid(), 1U);
  const base::TimeZone paris = zone();
  result["raw"] = {
      {"hash_map_ns",
       nanoseconds(users, clock, [&](base::UserId user) { use(map.find(user.uuid())); })},
      {"wall_clock_ns",
       nanoseconds(users, clock, [&](base::UserId) { use(paris.read(clock.now())); })}};
  return result.dump();
}

}  // namespace notify::bench
