#include "edges/rest/authenticator.hpp"

#include <algorithm>
#include <optional>

namespace notify::edges::rest {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

/// nullopt for another scheme. Schemes are compared without regard to case (RFC 9110 §11.1).
std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  const bool is_bearer =
      authorization.size() > kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), authorization.begin(), [](char lower, char c) {
        return lower == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
      });
  if (!is_bearer) return std::nullopt;
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return authorization;
}

}  // namespace

async::Task<Expected<base::UserId>> Authenticator::user_of(std::string_view authorization,
                                                           base::Deadline deadline) const {
  const auto text = bearer_token(authorization);
  if (!text) co_return fail(Errc::unauthenticated, "");
  if (keys_ == nullptr) co_return fail(Errc::unauthenticated, "no tokens are accepted here");
  const auto token = crypto::Jwt::parse(*text);
  if (!token) co_return fail(token.error());
  const auto key = co_await keys_->key(token->kid(), deadline);
  if (!key) co_return fail(key.error());
  co_return token->verify(*key, policy_, clock_.now());
}

}  // namespace notify::edges::rest
