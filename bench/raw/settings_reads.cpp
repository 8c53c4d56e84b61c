#include "raw/settings_reads.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "base/async/task_group.hpp"
#include "base/rng.hpp"
#include "load_generator/cpu_time.hpp"
#include "storage/pg/pool.hpp"
#include "storage/redis/client.hpp"
#include "stores/pg_settings.hpp"
#include "stores/redis_settings.hpp"

namespace notify::bench {
namespace {

using async::Task;
using nlohmann::json;
using Users = std::vector<base::UserId>;

constexpr std::size_t kPortion = 500;
constexpr std::size_t kBatches[] = {1, 10, 100, 500};

constexpr pg::Statement kFillUsers = {
    "bench_fill_users",
    "INSERT INTO user_settings (user_id, sound_enabled, updated_at) "
    "SELECT u, FALSE, now() - INTERVAL '1 day' FROM unnest($1::uuid[]) u ON CONFLICT DO NOTHING"};
constexpr pg::Statement kFillConversations = {
    "bench_fill_conversations",
    "INSERT INTO conversation_settings (user_id, conversation_id, notification_level, updated_at) "
    "SELECT u, u, 'mentions', now() - INTERVAL '1 day' FROM unnest($1::uuid[]) u "
    "ON CONFLICT DO NOTHING"};
constexpr pg::Statement kBackend = {"bench_backend", "SELECT pg_backend_pid()::int8"};

template <class T>
T good(base::Expected<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Random enough to fall anywhere in an index.
base::UserId user_of(std::size_t number, bool has_settings) {
  base::SeededRng rng(number * 2 + (has_settings ? 1 : 0));
  base::Uuid::Bytes bytes{};
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
  return base::UserId(base::Uuid(bytes));
}

Users users_from(std::size_t first, std::size_t count, bool has_settings) {
  Users users;
  for (std::size_t i = 0; i < count; ++i) users.push_back(user_of(first + i, has_settings));
  return users;
}

/// Processor time of another process, in seconds.
double cpu_seconds_of(std::int64_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

class Reads {
 public:
  explicit Reads(const SettingsReadOptions& options)
      : options_(options),
        pool_(timers_, rng_, base::Secret(std::string(options.postgres)), {.connections = 1},
              [](std::string_view) {}) {
    auto url = good(redis::parse_url(base::Secret(std::string(options.redis))));
    redis_ =
        good(redis::Client::create(timers_, rng_, std::move(url), {}, [](std::string_view) {}));
    shared_ = std::make_unique<stores::RedisSettings>(*redis_);
  }

  std::string run() {
    async::TaskGroup group(timers_.executor(),
                           [this](std::string_view what) { failure_ = std::string(what); });
    group.spawn(measure_all());
    while (group.size() > 0) io_.run_one();
    if (!failure_.empty()) throw std::runtime_error(failure_);
    return results_.dump(1);
  }

 private:
  [[nodiscard]] base::Deadline soon() { return timers_.after(std::chrono::seconds(30)); }

  Task<void> measure_all() {
    pool_.start();
    redis_->start();
    co_await timers_.sleep_for(std::chrono::milliseconds(500));
    co_await fill();
    const std::int64_t backend =
        good(good_pg(co_await pool_.query({kBackend, {}}, soon())).int64(0, 0));
    const std::int64_t server = co_await redis_process();
    for (const bool has_settings : {true, false}) {
      for (const std::size_t batch : kBatches) {
        co_await measure({"postgres", has_settings, batch}, backend);
        co_await measure({"redis", has_settings, batch}, server);
      }
    }
    co_await redis_->stop(soon());
    co_await pool_.stop(soon());
  }

  static pg::Result good_pg(pg::Expected<pg::Result> result) {
    if (!result) throw std::runtime_error(result.error().error.detail);
    return std::move(*result);
  }

  Task<std::int64_t> redis_process() {
    const auto info = good(co_await redis_->command(redis::Command("INFO").arg("server"), soon()));
    const std::string text(good(info.as_text()));
    constexpr std::string_view kField = "process_id:";
    co_return std::stoll(text.substr(text.find(kField) + kField.size()));
  }

  Task<void> fill() {
    for (std::size_t first = 0; first < options_.users; first += kPortion) {
      const Users users = users_from(first, kPortion, true);
      pg::Array ids(pg::Type::uuid, users.size());
      for (const base::UserId user : users) ids.id(user);
      for (const pg::Statement& statement : {kFillUsers, kFillConversations}) {
        pg::Params params;
        params.array(ids);
        good_pg(co_await pool_.query({statement, std::move(params)}, soon()));
      }
      co_await share(users);
      co_await share(users_from(first, kPortion, false));
    }
  }

  Task<void> share(Users users) {
    const stores::LoadedSettings loaded = good(co_await settings_.load(users, soon()));
    std::vector<stores::SharedSettings> shared;
    for (std::size_t i = 0; i < users.size(); ++i) {
      shared.push_back({users[i], loaded.settings[i], loaded.at});
    }
    good(co_await shared_->put(std::move(shared), soon()));
  }

  struct Kind {
    std::string from;
    bool has_settings;
    std::size_t batch;
  };

  Task<void> measure(Kind kind, std::int64_t server) {
    const auto& clock = timers_.clock();
    const base::SteadyTime start = clock.steady_now();
    const double client_before = cpu_seconds();
    const double server_before = cpu_seconds_of(server);
    std::size_t read = 0;
    while (clock.steady_now() - start < options_.duration) {
      const auto span = static_cast<std::uint32_t>(options_.users - kind.batch);
      const std::size_t first = rng_.below(span);
      Users users = users_from(first, kind.batch, kind.has_settings);
      if (kind.from == "postgres") {
        good(co_await settings_.load(std::move(users), soon()));
      } else {
        for (const auto& one : good(co_await shared_->find(std::move(users), soon()))) {
          if (!one) throw std::runtime_error("a hash is missing: was Redis emptied meanwhile?");
        }
      }
      read += kind.batch;
    }
    const std::chrono::duration<double> took = clock.steady_now() - start;
    const auto each = [read](double seconds) { return seconds * 1e6 / static_cast<double>(read); };
    results_.push_back({{"from", kind.from},
                        {"has_settings", kind.has_settings},
                        {"batch", kind.batch},
                        {"elapsed_us", each(took.count())},
                        {"client_cpu_us", each(cpu_seconds() - client_before)},
                        {"server_cpu_us", each(cpu_seconds_of(server) - server_before)}});
  }

  const SettingsReadOptions& options_;
  boost::asio::io_context io_{1};
  base::SystemClock clock_;
  async::Timers timers_{io_.get_executor(), clock_};
  base::SeededRng rng_{1};
  pg::Pool pool_;
  std::unique_ptr<redis::Client> redis_;
  stores::PgSettings settings_{pool_};
  std::unique_ptr<stores::RedisSettings> shared_;
  json results_ = json::array();
  std::string failure_;
};

}  // namespace

std::string read_settings(const SettingsReadOptions& options) { return Reads(options).run(); }

}  // namespace notify::bench
