#include "edges/grpc/reflection.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/support/status.h>

#include <set>
#include <string>
#include <vector>

#include "edges/grpc/services.hpp"

namespace notify::edges {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using Request = grpc::reflection::v1::ServerReflectionRequest;
using Response = grpc::reflection::v1::ServerReflectionResponse;

const DescriptorPool& pool() { return *DescriptorPool::generated_pool(); }

void not_found(Response& response, const std::string& what) {
  auto& error = *response.mutable_error_response();
  error.set_error_code(grpc::StatusCode::NOT_FOUND);
  error.set_error_message("there is no " + what);
}

/// The file before what it imports, each once.
void add_file(const FileDescriptor* file, Response& response,
              std::set<const FileDescriptor*>& added) {
  if (!added.insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  proto.SerializeToString(response.mutable_file_descriptor_response()->add_file_descriptor_proto());
  for (int i = 0; i < file->dependency_count(); ++i) {
    add_file(file->dependency(i), response, added);
  }
}

void tell_file(const FileDescriptor* file, const std::string& what, Response& response) {
  if (file == nullptr) return not_found(response, what);
  std::set<const FileDescriptor*> added;
  add_file(file, response, added);
}

void tell_extension(const grpc::reflection::v1::ExtensionRequest& request, Response& response) {
  const auto* type = pool().FindMessageTypeByName(request.containing_type());
  const FieldDescriptor* extension =
      type == nullptr ? nullptr : pool().FindExtensionByNumber(type, request.extension_number());
  tell_file(extension == nullptr ? nullptr : extension->file(), "such extension", response);
}

void tell_extension_numbers(const std::string& name, Response& response) {
  const auto* type = pool().FindMessageTypeByName(name);
  if (type == nullptr) return not_found(response, "message of this name");
  auto& answer = *response.mutable_all_extension_numbers_response();
  answer.set_base_type_name(name);
  std::vector<const FieldDescriptor*> extensions;
  pool().FindAllExtensions(type, &extensions);
  for (const FieldDescriptor* extension : extensions) {
    answer.add_extension_number(extension->number());
  }
}

}  // namespace

Response reflect(const Request& request) {
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      tell_file(pool().FindFileByName(request.file_by_filename()), "file of this name", response);
      break;
    case Request::kFileContainingSymbol:
      tell_file(pool().FindFileContainingSymbol(request.file_containing_symbol()),
                "symbol of this name", response);
      break;
    case Request::kFileContainingExtension:
      tell_extension(request.file_containing_extension(), response);
      break;
    case Request::kAllExtensionNumbersOfType:
      tell_extension_numbers(request.all_extension_numbers_of_type(), response);
      break;
    case Request::kListServices:
      for (const std::string_view name : kServices) {
        response.mutable_list_services_response()->add_service()->set_name(std::string(name));
      }
      break;
    case Request::MESSAGE_REQUEST_NOT_SET: {
      auto& error = *response.mutable_error_response();
      error.set_error_code(grpc::StatusCode::UNIMPLEMENTED);
      error.set_error_message("this question is not known here");
    }
  }
  return response;
}

}  // namespace notify::edges
