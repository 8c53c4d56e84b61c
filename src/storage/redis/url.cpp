#include "storage/redis/url.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace notify::redis {

namespace {

using base::Errc;

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr int kMaxDatabase = 65535;

base::Unexpected<base::Error> wrong(std::string_view part) {
  return base::fail(Errc::invalid, "redis.url: " + std::string(part));
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<int> parse_database(std::string_view text) {
  const auto number = parse_number<int>(text);
  if (!number || *number < 0 || *number > kMaxDatabase) return std::nullopt;
  return number;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

/// Splits at the first `mark`; the second part is empty if there is none.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char mark) {
  const std::size_t place = text.find(mark);
  if (place == std::string_view::npos) return {text, {}};
  return {text.substr(0, place), text.substr(place + 1)};
}

/// `host`, `host:port`, `[ipv6]`, `[ipv6]:port`.
std::optional<Address> parse_address(std::string_view text, std::uint16_t default_port) {
  Address address{.port = default_port};
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    address.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    address.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (address.host.empty()) return std::nullopt;
  if (rest.empty()) return address;
  const auto port = parse_number<std::uint16_t>(rest.substr(1));
  if (!rest.starts_with(':') || !port || *port == 0) return std::nullopt;
  address.port = *port;
  return address;
}

std::optional<std::vector<Address>> parse_addresses(std::string_view list,
                                                    std::uint16_t default_port) {
  std::vector<Address> all;
  for (;;) {
    const std::size_t comma = list.find(',');
    auto address = parse_address(list.substr(0, comma), default_port);
    if (!address) return std::nullopt;
    all.push_back(std::move(*address));
    if (comma == std::string_view::npos) return all;
    list.remove_prefix(comma + 1);
  }
}

base::Expected<Url> parse_unix(Url url, std::string_view rest) {
  const auto [path, query] = cut(rest, '?');
  if (!path.starts_with('/') || path.size() < 2) return wrong("a unix socket needs a path");
  if (!query.empty()) {
    const auto database = parse_database(query.substr(std::min<std::size_t>(3, query.size())));
    if (!query.starts_with("db=") || !database) return wrong("only ?db=<number> may follow a path");
    url.database = *database;
  }
  url.topology = SingleServer{Address{.port = 0, .unix_path = std::string(path)}};
  return url;
}

base::Expected<Url> parse_hosts(Url url, std::string_view kind, std::string_view rest) {
  if (rest.find('?') != std::string_view::npos) return wrong("parameters are not known");
  const auto [hosts, path] = cut(rest, '/');
  const auto addresses = parse_addresses(hosts, kind == "sentinel" ? kSentinelPort : kRedisPort);
  if (!addresses) return wrong("a host or port is not valid");

  std::string_view database = path;
  if (kind == "sentinel") {
    const auto [master, after] = cut(path, '/');
    if (master.empty()) return wrong("Sentinel needs the name of a master: .../name");
    url.topology = Sentinels{*addresses, std::string(master)};
    database = after;
  } else if (kind == "cluster") {
    if (!path.empty()) return wrong("Redis Cluster has no databases");
    url.topology = ClusterSeeds{*addresses};
  } else {
    if (addresses->size() != 1) return wrong("one server is one host");
    url.topology = SingleServer{addresses->front()};
  }
  if (!database.empty()) {
    const auto number = parse_database(database);
    if (!number) return wrong("the database is not a number");
    url.database = *number;
  }
  return url;
}

}  // namespace

base::Expected<Url> parse_url(const base::Secret& text) {
  const std::string_view all = text.reveal();
  const std::size_t colon = all.find("://");
  if (colon == std::string_view::npos) return wrong("no scheme (redis://...)");
  std::string_view rest = all.substr(colon + 3);
  const auto [transport, kind] = cut(all.substr(0, colon), '+');

  Url url;
  url.tls = transport == "rediss";
  const bool is_unix = transport == "unix" && kind.empty();
  const bool known_kind = kind.empty() || kind == "sentinel" || kind == "cluster";
  if (!is_unix && ((transport != "redis" && transport != "rediss") || !known_kind)) {
    return wrong("the scheme is none of redis, rediss, unix, redis+sentinel, redis+cluster");
  }
  // The last @ ends the credentials: a password may contain one, a host cannot.
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const auto [user, password] = cut(rest.substr(0, at), ':');
    auto decoded_user = percent_decode(user);
    auto decoded_password = percent_decode(password);
    if (!decoded_user || !decoded_password) return wrong("user or password is badly encoded");
    url.user = std::move(*decoded_user);
    url.password = base::Secret(std::move(*decoded_password));
    rest.remove_prefix(at + 1);
    if (url.password.empty()) return wrong("a user without a password");
  }
  return is_unix ? parse_unix(std::move(url), rest) : parse_hosts(std::move(url), kind, rest);
}

base::Expected<void> check_supported(const Url& url) {
  if (std::holds_alternative<Sentinels>(url.topology)) {
    return wrong("redis+sentinel is not supported by this version; give one server");
  }
  if (std::holds_alternative<ClusterSeeds>(url.topology)) {
    return wrong("redis+cluster is not supported by this version; give one server");
  }
  return {};
}

}  // namespace notify::redis
