#pragma once
// Every unary method of the services, by their real descriptors, with answers of the test's own.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "edges/grpc/method_table.hpp"
#include "notification/notification.pb.h"
#include "notification/preference.pb.h"

namespace notify::edges::rest {

using google::protobuf::Message;

/// Lifetime: stays where it is: the table refers to it.
class FakeMethods {
 public:
  FakeMethods() {
    add(*notification::GetUserSettingsRequest::descriptor()->file());
    add(*notification::GetNotificationRequest::descriptor()->file());
  }
  FakeMethods(const FakeMethods&) = delete;
  FakeMethods& operator=(const FakeMethods&) = delete;

  /// Without it every method answers with an empty response.
  std::function<MessageAnswer(const Message& request)> answer;

  std::unique_ptr<Message> request;  ///< the last one
  std::optional<RpcCall> call;       ///< the last one
  std::string method;                ///< the last one
  MethodTable table;

 private:
  void add(const google::protobuf::FileDescriptor& file) {
    for (int i = 0; i < file.service_count(); ++i) {
      for (int j = 0; j < file.service(i)->method_count(); ++j) {
        const auto* one = file.service(i)->method(j);
        if (one->client_streaming() || one->server_streaming()) continue;
        table.add(one->name(), *one->input_type(), [this, one](const Message& got, RpcCall made) {
          request.reset(got.New());
          request->CopyFrom(got);
          call = std::move(made);
          method = one->name();
          return respond(answer ? answer(got) : MessageAnswer(prototype(*one)));
        });
      }
    }
  }
  static std::unique_ptr<Message> prototype(const google::protobuf::MethodDescriptor& method) {
    return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()
                                        ->GetPrototype(method.output_type())
                                        ->New());
  }
  static async::Task<MessageAnswer> respond(MessageAnswer given) { co_return given; }
};

}  // namespace notify::edges::rest
