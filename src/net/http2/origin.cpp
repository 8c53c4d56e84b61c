#include "net/http2/origin.hpp"

#include <charconv>

namespace notify::http2 {
namespace {

base::Unexpected<base::Error> wrong(std::string_view what) {
  return base::fail(base::Errc::invalid, "origin: " + std::string(what));
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stopped == end && port != 0;
}

}  // namespace

base::Expected<Origin> parse_origin(std::string_view text) {
  Origin origin;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return wrong("no scheme");
  origin.scheme = std::string(text.substr(0, scheme_end));
  if (origin.scheme != "https" && origin.scheme != "http") return wrong("neither https nor http");
  const std::string_view authority = text.substr(scheme_end + 3);
  if (authority.find_first_of("/?#@ ") != std::string_view::npos) {
    return wrong("only a host and a port may follow the scheme");
  }
  origin.authority = std::string(authority);
  origin.endpoint.port = origin.scheme == "https" ? 443 : 80;

  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return wrong("a bracket is open");
  origin.endpoint.host =
      std::string(authority.substr(bracketed ? 1 : 0, bracketed ? host_end - 1 : host_end));
  if (origin.endpoint.host.empty()) return wrong("no host");
  if (host_end == std::string_view::npos) return origin;
  const std::string_view rest = authority.substr(host_end + (bracketed ? 1 : 0));
  if (rest.empty()) return origin;
  if (rest.front() != ':' || !parse_port(rest.substr(1), origin.endpoint.port)) {
    return wrong("the port is not a port");
  }
  return origin;
}

}  // namespace notify::http2
