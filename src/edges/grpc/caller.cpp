#include "edges/grpc/caller.hpp"

#include <grpc/grpc_security_constants.h>

#include <vector>

#include "base/spiffe.hpp"

namespace notify::edges {
namespace {

/// The parts between `separator` where no quotes are open; within quotes a backslash hides the next
/// character. Empty: that is not how a proxy writes. Quotes are counted from the left, where a
/// caller may have written: those it leaves open would hide what our proxy adds, and are refused.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  bool is_quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (!is_quoted) return {};
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (text[i] == separator && !is_quoted) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  if (is_quoted) return {};
  parts.push_back(text.substr(begin));
  return parts;
}

std::string text_of(const grpc::string_ref& text) { return {text.data(), text.size()}; }

using Identity = base::Expected<std::string>;

base::Unexpected<base::Error> unknown(const char* why) {
  return base::fail(base::Errc::unauthenticated, why);
}

/// Of a certificate that the handshake has checked: MutualTls takes no other.
Identity certified_identity(const grpc::ServerContext& context) {
  const auto found = context.auth_context()->FindPropertyValues(GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
  if (found.size() != 1) return unknown("the caller's certificate needs one URI, a SPIFFE id");
  return text_of(found.front());
}

Identity forwarded_identity(const grpc::ServerContext& context) {
  const auto [first, end] = context.client_metadata().equal_range("x-forwarded-client-cert");
  if (first == end) return unknown("x-forwarded-client-cert is missing: call through the proxy");
  // A proxy adds to the header that is there. With two of them it is not known who wrote which.
  auto uri = std::next(first) == end ? forwarded_uri(text_of(first->second)) : std::nullopt;
  if (!uri) return unknown("x-forwarded-client-cert does not say one URI in its last element");
  return std::move(*uri);
}

}  // namespace

std::optional<std::string> forwarded_uri(std::string_view header) {
  constexpr std::string_view kUri = "URI=";
  const auto elements = split(header, ',');
  if (elements.empty()) return std::nullopt;
  std::optional<std::string> found;
  for (const std::string_view pair : split(elements.back(), ';')) {
    if (!pair.starts_with(kUri)) continue;
    if (found) return std::nullopt;
    found = std::string(pair.substr(kUri.size()));
  }
  return found;
}

std::string ip_of_host(std::string_view host) {
  constexpr std::string_view kOpen = "%5B";
  constexpr std::string_view kClose = "%5D";
  const bool is_ip = host.starts_with("ipv4:") || host.starts_with("ipv6:");
  if (!is_ip) return "";
  host.remove_prefix(host.find(':') + 1);
  if (host.starts_with(kOpen)) host.remove_prefix(kOpen.size());
  if (host.ends_with(kClose)) host.remove_suffix(kClose.size());
  return std::string(host);
}

base::Expected<flows::Caller> caller_of(const grpc::ServerContext& context, CallerProof proof) {
  const std::string peer = context.peer();  // "ipv4:10.0.0.7:34567"
  flows::Caller caller;
  caller.host = peer.substr(0, peer.rfind(':'));
  // Behind a proxy every caller has its address.
  if (proof != CallerProof::forwarded) caller.ip = ip_of_host(caller.host);
  caller.lane = caller.host;
  if (proof == CallerProof::none) return caller;
  auto identity =
      proof == CallerProof::certificate ? certified_identity(context) : forwarded_identity(context);
  if (!identity) return base::fail(std::move(identity).error());
  if (!base::is_spiffe_id(*identity)) {
    return unknown("the URI of the caller's certificate is not a SPIFFE id of at most 255 bytes");
  }
  caller.lane = *identity;
  caller.identity = std::move(*identity);
  return caller;
}

Actor actor_of(const flows::Caller& caller, const std::string& named) {
  if (caller.identity.empty()) return {named.empty() ? caller.lane : named, caller.host};
  return {caller.identity, named.empty() ? caller.host : caller.host + ", for " + named};
}

}  // namespace notify::edges
