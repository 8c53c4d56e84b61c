#include "edges/grpc/caller.hpp"

#include <grpc/grpc_security_constants.h>

#include <vector>

#include "base/spiffe.hpp"

namespace notify::edges {
namespace {

/// Splits where no quotes are open; within quotes a backslash hides the next character.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  bool is_quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (text[i] == separator && !is_quoted) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string text_of(const grpc::string_ref& text) { return {text.data(), text.size()}; }

std::optional<std::string> certified_identity(const grpc::ServerContext& context) {
  const auto auth = context.auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) return std::nullopt;
  const auto found = auth->FindPropertyValues(GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
  if (found.size() != 1) return std::nullopt;
  return text_of(found.front());
}

std::optional<std::string> forwarded_identity(const grpc::ServerContext& context) {
  const auto [first, end] = context.client_metadata().equal_range("x-forwarded-client-cert");
  // A proxy adds to the header that is there. With two of them it is not known who wrote which.
  if (first == end || std::next(first) != end) return std::nullopt;
  return forwarded_uri(text_of(first->second));
}

}  // namespace

std::optional<std::string> forwarded_uri(std::string_view header) {
  constexpr std::string_view kUri = "URI=";
  std::optional<std::string> found;
  for (std::string_view pair : split(split(header, ',').back(), ';')) {
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (!pair.starts_with(kUri)) continue;
    if (found) return std::nullopt;
    found = std::string(pair.substr(kUri.size()));
  }
  return found;
}

std::string ip_of_peer(std::string_view peer) {
  // "ipv4:10.0.0.7:34567", "ipv6:%5B::1%5D:34567": gRPC writes it as in a URI.
  constexpr std::string_view kOpen = "%5B";
  constexpr std::string_view kClose = "%5D";
  const bool is_ip = peer.starts_with("ipv4:") || peer.starts_with("ipv6:");
  if (!is_ip) return "";
  peer = peer.substr(0, peer.rfind(':'));
  peer.remove_prefix(peer.find(':') + 1);
  if (peer.starts_with(kOpen)) peer.remove_prefix(kOpen.size());
  if (peer.ends_with(kClose)) peer.remove_suffix(kClose.size());
  return std::string(peer);
}

base::Expected<flows::Caller> caller_of(const grpc::ServerContext& context, CallerProof proof) {
  const std::string peer = context.peer();
  flows::Caller caller;
  caller.ip = ip_of_peer(peer);
  caller.lane = peer.substr(0, peer.rfind(':'));
  if (proof == CallerProof::none) return caller;
  auto identity =
      proof == CallerProof::certificate ? certified_identity(context) : forwarded_identity(context);
  if (!identity || !base::is_spiffe_id(*identity)) {
    return base::fail(base::Errc::unauthenticated, "the caller's certificate has no SPIFFE id");
  }
  caller.lane = *identity;
  caller.identity = std::move(*identity);
  return caller;
}

}  // namespace notify::edges
