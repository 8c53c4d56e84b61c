#include "storage/pg/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <memory>

#include "base/async/with_deadline.hpp"
#include "net/dns/lookup.hpp"

namespace notify::pg {

namespace {

namespace asio = boost::asio;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

Options parse(const base::Secret& url) {
  char* message = nullptr;
  Options options(PQconninfoParse(std::string(url.reveal()).c_str(), &message));
  PQfreemem(message);  // not shown: it can quote the URL
  return options;
}

std::string value_of(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* o = options.get(); o->keyword != nullptr; ++o) {
    if (keyword == o->keyword) return o->val != nullptr ? o->val : "";
  }
  return {};
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::size_t from = 0;
  for (;;) {
    const std::size_t comma = list.find(',', from);
    items.push_back(list.substr(from, comma - from));
    if (comma == std::string::npos) return items;
    from = comma + 1;
  }
}

bool needs_lookup(const std::string& host) {
  if (host.empty() || host.front() == '/' || host.front() == '@') return false;
  boost::system::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  return static_cast<bool>(not_an_address);
}

/// Asks for all names at once. A name whose answer has not come by `deadline` is left out, so that
/// one that hangs does not keep libpq from the other hosts.
async::Task<std::vector<net::Addresses>> look_up_all(async::Timers& timers,
                                                     const std::vector<std::string>& hosts,
                                                     base::Deadline deadline) {
  std::vector<std::unique_ptr<net::Lookup>> lookups;
  lookups.reserve(hosts.size());
  for (const std::string& host : hosts) {
    lookups.push_back(needs_lookup(host) ? std::make_unique<net::Lookup>(timers.executor(), host)
                                         : nullptr);
  }
  std::vector<net::Addresses> found(hosts.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!lookups[i]) continue;
    // One that was slow must not cost another its answer, which has come meanwhile.
    auto answer = lookups[i]->is_answered()
                      ? co_await lookups[i]->answer()
                      : co_await async::with_deadline(timers, deadline, lookups[i]->answer());
    if (answer) found[i] = std::move(*answer);
  }
  co_return found;
}

void append(std::string& list, std::string_view item, bool first) {
  if (!first) list.push_back(',');
  list.append(item);
}

}  // namespace

base::Expected<void> check_url(const base::Secret& url) {
  const bool is_uri =
      url.reveal().starts_with("postgresql://") || url.reveal().starts_with("postgres://");
  if (!is_uri || !parse(url)) {
    return base::fail(base::Errc::invalid, "not a PostgreSQL connection URI (postgresql://...)");
  }
  return {};
}

async::Task<base::Expected<Keywords>> resolve_hosts(async::Timers& timers, const base::Secret& url,
                                                    base::Deadline deadline) {
  const Options options = parse(url);
  if (!options) co_return base::fail(base::Errc::invalid, "not a PostgreSQL connection URI");
  const std::vector<std::string> hosts = split(value_of(options, "host"));
  const std::vector<std::string> ports = split(value_of(options, "port"));
  if (!value_of(options, "hostaddr").empty() || std::ranges::none_of(hosts, needs_lookup)) {
    co_return Keywords{};
  }
  // One entry for each address of each host: libpq then tries them all, and still checks the
  // server's certificate against the host's name.
  std::string host_list;
  std::string address_list;
  std::string port_list;
  bool none = true;
  const std::vector<net::Addresses> found = co_await look_up_all(timers, hosts, deadline);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    std::vector<std::string> addresses;
    if (needs_lookup(hosts[i])) {
      for (const auto& address : found[i]) addresses.push_back(address.to_string());
    } else {
      const bool is_path = hosts[i].empty() || hosts[i].front() == '/' || hosts[i].front() == '@';
      addresses.push_back(is_path ? std::string() : hosts[i]);
    }
    for (const std::string& address : addresses) {
      append(host_list, hosts[i], none);
      append(address_list, address, none);
      append(port_list, ports.size() == hosts.size() ? ports[i] : ports.front(), none);
      none = false;
    }
  }
  if (none) co_return base::fail(base::Errc::unavailable, "no address for PostgreSQL's host");
  co_return Keywords{{"host", host_list}, {"hostaddr", address_list}, {"port", port_list}};
}

}  // namespace notify::pg
