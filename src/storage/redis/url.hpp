#pragma once
// `redis.url`: how to reach Redis, in one line of the configuration.
//
//   redis://[[user]:password@]host[:port][/database]      one server
//   rediss://...                                          the same over TLS
//   unix://[[user]:password@]/path[?db=database]          one server, unix socket
//   redis+sentinel://[...@]host[:port],.../master[/database]
//   redis+cluster://[...@]host[:port],...                 (rediss+... : over TLS)

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/expected.hpp"
#include "base/secret.hpp"
#include "storage/redis/address.hpp"

namespace notify::redis {

struct SingleServer {
  Address address;
};
struct Sentinels {
  std::vector<Address> sentinels;
  std::string master;
};
struct ClusterSeeds {
  std::vector<Address> nodes;
};

struct Url {
  std::variant<SingleServer, Sentinels, ClusterSeeds> topology;
  bool tls = false;
  std::string user;
  base::Secret password;
  int database = 0;
};

/// User and password may be percent-encoded (RFC 3986 §2.1).
/// Errors: Errc::invalid; the detail says which part is wrong and never quotes it.
[[nodiscard]] base::Expected<Url> parse_url(const base::Secret& text);

/// For the check of the configuration: can this version serve `url`?
/// Errors: Errc::invalid for Sentinel and Cluster.
[[nodiscard]] base::Expected<void> check_supported(const Url& url);

}  // namespace notify::redis
