#pragma once
// Bytes to messages and back, with an error that a caller can act on. gRPC's own decoding answers
// INTERNAL to anything malformed; a text that is not UTF-8 is the caller's mistake, and which field
// it is can be told.

#include <grpcpp/support/byte_buffer.h>

#include <optional>

#include <google/protobuf/message.h>

#include "rules/validation.hpp"

namespace notify::edges {

/// Parses `bytes` into `message`. Returns what is wrong if they cannot be parsed.
[[nodiscard]] std::optional<rules::Violations> decode(grpc::ByteBuffer& bytes,
                                                      google::protobuf::Message& message);

[[nodiscard]] grpc::ByteBuffer to_bytes(const google::protobuf::Message& message);

}  // namespace notify::edges
