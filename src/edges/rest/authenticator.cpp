#include "edges/rest/authenticator.hpp"

#include <algorithm>
#include <optional>

namespace notify::edges::rest {
namespace {

using base::Errc;
using flows::refuse;

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

async::Task<flows::Answer<base::UserId>> Authenticator::user_of(std::string_view authorization,
                                                                std::string_view address,
                                                                base::Deadline deadline) {
  const auto text = bearer_token(authorization);
  if (!text) co_return refuse({Errc::unauthenticated, ""});
  if (keys_ == nullptr) co_return refuse({Errc::unauthenticated, "no tokens are accepted here"});
  const auto token = crypto::Jwt::parse(*text);
  if (!token) co_return refuse(token.error());
  if (const auto good = token->check_claims(policy_, clock_.now()); !good) {
    co_return refuse(good.error());
  }
  const auto key = co_await keys_->key(token->kid(), deadline);
  if (!key) co_return refuse(key.error());
  if (const auto wait = forgeries_.wait(address, clock_.steady_now())) {
    flows::Refusal refusal;
    refusal.error = {Errc::overloaded, "too many tokens with a wrong signature from this address"};
    refusal.retry_after = *wait;
    co_return base::Unexpected(std::move(refusal));
  }
  auto user = token->verify(*key, policy_, clock_.now());
  if (user) co_return *user;
  forgeries_.add(address, clock_.steady_now());
  co_return refuse(std::move(user).error());
}

}  // namespace notify::edges::rest
