#pragma once
// What the server tells of its API to tools that know nothing but its address.
// Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md

#include "grpc/reflection/v1/reflection.pb.h"

namespace notify::edges {

/// The answer to one question, from the descriptors that are compiled in. What is not known is an
/// ErrorResponse with NOT_FOUND, as the protocol has it: the stream goes on.
[[nodiscard]] grpc::reflection::v1::ServerReflectionResponse reflect(
    const grpc::reflection::v1::ServerReflectionRequest& request);

}  // namespace notify::edges
