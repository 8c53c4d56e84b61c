#pragma once
// The unary methods of a worker by their descriptors, so that another edge can call the very
// handlers that gRPC calls, without the wire in between. UnaryMethod enters itself: a new method
// needs no line here or there.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/task.hpp"
#include "edges/grpc/call.hpp"
#include "flows/refusal.hpp"

namespace notify::edges {

using MessageAnswer = flows::Answer<std::unique_ptr<google::protobuf::Message>>;

/// Threading: filled while a worker is built; then its executor.
/// Lifetime:  what the calls refer to outlives them.
class MethodTable {
 public:
  /// `request` is of the generated class of the method's input type, and outlives the call.
  using Call = std::function<async::Task<MessageAnswer>(const google::protobuf::Message& request,
                                                        RpcCall call)>;
  struct Method {
    const google::protobuf::MethodDescriptor* descriptor;
    Call call;
  };

  /// `name` and the request's type tell which method of the file's services it is; one that is not
  /// found there cannot be called by others.
  void add(std::string_view name, const google::protobuf::Descriptor& request, Call call) {
    const google::protobuf::FileDescriptor& file = *request.file();
    for (int i = 0; i < file.service_count(); ++i) {
      const auto* method = file.service(i)->FindMethodByName(std::string(name));
      if (method == nullptr || method->input_type() != &request) continue;
      methods_.push_back({method, std::move(call)});
      return;
    }
  }

  [[nodiscard]] const std::vector<Method>& methods() const { return methods_; }

 private:
  std::vector<Method> methods_;
};

}  // namespace notify::edges
