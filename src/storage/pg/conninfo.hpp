#pragma once
// `postgres.url`: checked once at start, and resolved anew for every connect, so that a name that
// moves to another host is followed.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/timers.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "base/secret.hpp"

namespace notify::pg {

/// Errors: Errc::invalid if libpq cannot read `url`; the detail never quotes it, since it can hold
///         a password.
[[nodiscard]] base::Expected<void> check_url(const base::Secret& url);

/// libpq's keywords with their values; a later one of the same name wins.
using Keywords = std::vector<std::pair<std::string, std::string>>;

/// Looks the host names of `url` up without blocking (libpq itself would block in getaddrinfo) and
/// returns the keywords that make libpq use the addresses. Empty if there is no name to look up.
/// A name whose answer has not come by `deadline` is left out. `url` must outlive the task.
/// Errors: Errc::unavailable if no host of the URL has an address.
[[nodiscard]] async::Task<base::Expected<Keywords>> resolve_hosts(async::Timers& timers,
                                                                  const base::Secret& url,
                                                                  base::Deadline deadline);

}  // namespace notify::pg
