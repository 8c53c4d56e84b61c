#pragma once
// The items of a batch, or of one message of a stream: each has an answer of its own, also an item
// that could not be read.

#include <vector>

#include "edges/grpc/spoilt_items.hpp"
#include "flows/accept.hpp"

namespace notify::edges {

/// Accepts the requests, and refuses the spoilt ones by what is wrong with them. One answer for
/// each request, in order.
/// Lifetime: what the requests refer to, and `spoilt`, outlive the call.
/// Cancel:   they may have been accepted.
[[nodiscard]] async::Task<flows::Accept::Answers> accept_items(
    flows::Accept& accept, std::vector<rules::SendRequest> requests, const SpoiltItems& spoilt,
    flows::Caller caller);

}  // namespace notify::edges
