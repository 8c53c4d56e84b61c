#pragma once
// What a process that uses gRPC sets once, before its first call.

namespace notify::net {

/// Debian builds Abseil with a search for lock cycles at every lock: fit for debugging gRPC itself,
/// and dear in a process that only uses it.
/// Threading: the main thread, before any gRPC object is made.
void prepare_grpc();

}  // namespace notify::net
