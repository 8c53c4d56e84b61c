#pragma once
// The meaning of a transport's failure, for every provider alike.

#include <string_view>

#include "net/http2/message.hpp"
#include "rules/outcome.hpp"

namespace notify::providers {

/// not_processed for a request that the peer certainly did not get, rejected for one that cannot be
/// sent, else unknown. `provider` is the name for people.
[[nodiscard]] rules::Outcome outcome_of(const http2::Failure& failure, std::string_view provider);

}  // namespace notify::providers
