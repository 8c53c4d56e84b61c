// Names that hang. getaddrinfo() of this program is the test's own: *.test names answer as the test
// says, all others are the system's.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "fakes/private_servers.hpp"
#include "fakes/run.hpp"
#include "net/tls/transport.hpp"
#include "storage/pg/pool.hpp"

namespace {

/// Names that begin with "hangs" get no answer before the test says so.
struct NameServer {
  std::mutex mutex;
  std::condition_variable changed;
  bool answers = false;
  int asked = 0;    ///< how often, for a name that hangs
  int hanging = 0;  ///< at this moment

  void hang() {
    std::unique_lock lock(mutex);
    ++asked;
    ++hanging;
    changed.wait(lock, [this] { return answers; });
    --hanging;
    changed.notify_all();
  }
  void begin() {
    const std::lock_guard lock(mutex);
    answers = false;
    asked = 0;
  }
  void answer_all() {
    std::unique_lock lock(mutex);
    answers = true;
    changed.notify_all();
    changed.wait(lock, [this] { return hanging == 0; });
  }
  int hanging_now() {
    const std::lock_guard lock(mutex);
    return hanging;
  }
  int times_asked() {
    const std::lock_guard lock(mutex);
    return asked;
  }
} name_server;

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const Real kReal = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string name = node != nullptr ? node : "";
  if (name.starts_with("hangs")) name_server.hang();
  return kReal(name.ends_with(".test") ? "127.0.0.1" : node, service, hints, result);
}

namespace notify::net {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using base::Expected;

using Connected = std::optional<Expected<std::unique_ptr<Transport>>>;

class NamesThatHang : public testing::Test {
 protected:
  NamesThatHang() { name_server.begin(); }
  ~NamesThatHang() override {
    name_server.answer_all();
    if (context) fakes::run(*context, group->stop());
  }

  void connect(const std::string& host, Connected& place) {
    group->spawn(
        async::store_result(Transport::connect(*timers, {host, acceptor->local_endpoint().port()},
                                               nullptr, {.resolve = 60s}),
                            place));
  }
  void drive(const std::function<bool()>& done) {
    const auto limit = clock.steady_now() + 20s;
    while (!done() && clock.steady_now() < limit) context->run_one_for(5ms);
    EXPECT_TRUE(done()) << "nothing came of it in 20 seconds";
  }

  base::SystemClock clock;
  base::SeededRng rng{7};
  std::optional<asio::io_context> context{std::in_place, 1};
  std::optional<async::Timers> timers{std::in_place, context->get_executor(), clock};
  std::optional<tcp::acceptor> acceptor{std::in_place, *context,
                                        tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)};
  std::optional<async::TaskGroup> group{std::in_place, context->get_executor(), async::OnEscape()};
};

TEST_F(NamesThatHang, HoldUpNoOtherName) {
  Connected slow;
  Connected other;
  connect("hangs.test", slow);
  connect("other.test", other);
  drive([&] { return other.has_value(); });
  ASSERT_TRUE(other.has_value());
  EXPECT_TRUE(*other) << other->error().detail;
  EXPECT_FALSE(slow.has_value());
  name_server.answer_all();
  drive([&] { return slow.has_value(); });
  ASSERT_TRUE(slow.has_value());
  EXPECT_TRUE(*slow) << slow->error().detail;
}

TEST_F(NamesThatHang, AreAskedForOnceAtATime) {
  Connected first;
  Connected second;
  connect("hangs.test", first);
  connect("hangs.test", second);
  drive([] { return name_server.hanging_now() > 0; });
  name_server.answer_all();
  drive([&] { return first.has_value() && second.has_value(); });
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(*first && *second);
  EXPECT_EQ(name_server.times_asked(), 1);
}

TEST_F(NamesThatHang, DoNotKeepAProgramFromItsEnd) {
  Connected slow;
  connect("hangs.test", slow);
  drive([] { return name_server.hanging_now() > 0; });
  fakes::run(*context, group->stop());
  group.reset();
  acceptor.reset();
  timers.reset();
  context.reset();
  EXPECT_EQ(name_server.hanging_now(), 1) << "the io_context has waited for the name";
}

TEST_F(NamesThatHang, DoNotKeepPostgresFromItsOtherHosts) {
  fakes::PrivatePostgres server;
  const std::string port = std::to_string(server.port());
  pg::PoolOptions options;
  options.connections = 1;
  options.connect_timeout = 2s;
  pg::Pool pool(*timers, rng,
                base::Secret("postgresql://postgres@hangs.test:" + port + ",other.test:" + port +
                             "/postgres"),
                options, {});
  pool.start();
  drive([&] { return pool.connected() > 0; });
  fakes::run(*context, pool.stop(timers->after(1s)));
}

TEST_F(NamesThatHang, OrDoNotExistAreErrorsOfTheirOwn) {
  Connected none;
  connect("no-such-name.invalid", none);
  drive([&] { return none.has_value(); });
  ASSERT_TRUE(none.has_value());
  ASSERT_FALSE(*none);
  EXPECT_EQ(none->error().code, base::Errc::unavailable);
  EXPECT_NE(none->error().detail.find("no-such-name.invalid"), std::string::npos);
}

}  // namespace
}  // namespace notify::net
