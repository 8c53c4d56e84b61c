#include "net/dns/lookup.hpp"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/async/one_shot.hpp"

namespace notify::net {
namespace {

namespace asio = boost::asio;
using base::Errc;
using base::Expected;

constexpr std::size_t kNamesMax = 32;

Addresses addresses_in(const addrinfo* list) {
  Addresses addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    const asio::ip::address address = endpoint.address();
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  return addresses;
}

/// Blocks.
Expected<Addresses> ask_the_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return base::fail(Errc::unavailable, "resolve " + host + ": " + ::gai_strerror(error));
  }
  Addresses addresses = addresses_in(list);
  ::freeaddrinfo(list);
  if (addresses.empty()) return base::fail(Errc::unavailable, "resolve " + host + ": no address");
  return addresses;
}

}  // namespace

struct Lookup::State {
  State(async::Executor e, std::string name)
      : executor(std::move(e)), host(std::move(name)), result(executor) {}
  async::Executor executor;
  std::string host;
  async::OneShot<Expected<Addresses>> result;
};

namespace {

/// The names under way in one io_context, whose service it is.
class Lookups final : public asio::execution_context::service {
 public:
  inline static asio::execution_context::id id;

  explicit Lookups(asio::execution_context& context) : service(context) {}

  template <class State>
  void ask(const std::shared_ptr<State>& state) {
    const auto [place, is_new] = waiting_.try_emplace(state->host);
    place->second.push_back([waiter = std::weak_ptr(state)](const Expected<Addresses>& answer) {
      if (const auto alive = waiter.lock()) alive->result.complete(answer);
    });
    if (!is_new) return;
    if (waiting_.size() > kNamesMax) {
      return tell(state->host,
                  base::fail(Errc::overloaded, "too many names are being looked up at once"));
    }
    try {
      std::thread(&Lookups::work, this, mailbox_, state->executor, state->host).detach();
    } catch (const std::system_error&) {
      tell(state->host, base::fail(Errc::overloaded, "no thread to look a name up"));
    }
  }

 private:
  using Waiter = std::function<void(const Expected<Addresses>&)>;

  /// A thread may still touch this when the io_context is gone.
  struct Mailbox {
    std::mutex mutex;
    bool open = true;  // guarded by mutex
  };

  /// On a thread of its own. `lookups` lives as long as the mailbox is open.
  static void work(Lookups* lookups, std::shared_ptr<Mailbox> mailbox, async::Executor executor,
                   std::string host) {
    Expected<Addresses> answer = ask_the_system(host);
    const std::lock_guard lock(mailbox->mutex);
    if (!mailbox->open) return;
    asio::post(executor, [lookups, host = std::move(host), answer = std::move(answer)] {
      lookups->tell(host, answer);
    });
  }

  void tell(const std::string& host, const Expected<Addresses>& answer) {
    const auto found = waiting_.find(host);
    if (found == waiting_.end()) return;
    const std::vector<Waiter> waiters = std::move(found->second);
    waiting_.erase(found);
    for (const Waiter& waiter : waiters) waiter(answer);
  }

  void shutdown() noexcept override {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->open = false;
  }

  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::map<std::string, std::vector<Waiter>> waiting_;
};

}  // namespace

Lookup::Lookup(async::Executor executor, std::string host)
    : state_(std::make_shared<State>(std::move(executor), std::move(host))) {
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(state_->host, not_an_address);
  if (!not_an_address) {
    state_->result.complete(Addresses{address});
    return;
  }
  asio::execution_context& context = state_->executor.context();
  asio::use_service<Lookups>(context).ask(state_);
}

Lookup::~Lookup() = default;

async::Task<Expected<Addresses>> Lookup::answer() {
  // run() must not end while the answer is on a thread that Asio does not know.
  const auto work = asio::make_work_guard(state_->executor);
  co_return co_await state_->result.wait();
}

bool Lookup::is_answered() const { return state_->result.is_complete(); }

async::Task<Expected<Addresses>> look_up(async::Executor executor, std::string host) {
  Lookup lookup(std::move(executor), std::move(host));
  co_return co_await lookup.answer();
}

}  // namespace notify::net
