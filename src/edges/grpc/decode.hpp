#pragma once
// Bytes to messages and back, with an error that a caller can act on. gRPC's own decoding answers
// INTERNAL to anything malformed; a text that is not UTF-8 is the caller's mistake, and which field
// it is can be told.

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <optional>

#include "edges/grpc/spoilt_items.hpp"

namespace notify::edges {

/// Parses `bytes` into `message`. Returns what is wrong if they cannot be parsed.
[[nodiscard]] std::optional<rules::Violations> decode(grpc::ByteBuffer& bytes,
                                                      google::protobuf::Message& message);

/// The same for a message with one repeated field of items, each to be answered by itself. An item
/// that cannot be parsed gets an entry in `spoilt`, with names of fields as seen from the `item`
/// type. Its place in `message` holds the fields of it that can be read.
[[nodiscard]] std::optional<rules::Violations> decode_items(
    grpc::ByteBuffer& bytes, google::protobuf::Message& message,
    const google::protobuf::Descriptor& item, SpoiltItems& spoilt);

[[nodiscard]] grpc::ByteBuffer to_bytes(const google::protobuf::Message& message);

}  // namespace notify::edges
