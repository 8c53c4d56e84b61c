#include "edges/grpc/reflection.hpp"

#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "edges/grpc/services.hpp"
#include "notification/notification.pb.h"

namespace notify::edges {
namespace {

using Request = grpc::reflection::v1::ServerReflectionRequest;
using Response = grpc::reflection::v1::ServerReflectionResponse;

std::vector<std::string> files_of(const Response& response) {
  std::vector<std::string> names;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  return names;
}

struct ReflectionTest : testing::Test {
  Request request;
  /// Makes a linker keep the descriptors that are asked for.
  const google::protobuf::Descriptor* kept = notification::Notification::descriptor();
};

TEST_F(ReflectionTest, AFileComesWithAllThatItImportsEachOnce) {
  request.set_file_by_filename("notification/notification.proto");
  const auto files = files_of(reflect(request));
  ASSERT_FALSE(files.empty());
  EXPECT_EQ(files.front(), "notification/notification.proto");
  EXPECT_EQ(std::count(files.begin(), files.end(), "google/protobuf/timestamp.proto"), 1);
}

TEST_F(ReflectionTest, ASymbolIsFoundByItsFullName) {
  for (const char* symbol :
       {"notification.NotificationService", "notification.NotificationService.SendNotification",
        "notification.SendNotificationRequest", "notification.SendNotificationRequest.user_id"}) {
    request.set_file_containing_symbol(symbol);
    const auto files = files_of(reflect(request));
    ASSERT_FALSE(files.empty()) << symbol;
    EXPECT_EQ(files.front(), "notification/notification.proto") << symbol;
  }
}

TEST_F(ReflectionTest, TheQuestionStandsInTheAnswer) {
  request.set_host("here");
  request.set_list_services("*");
  const Response response = reflect(request);
  EXPECT_EQ(response.valid_host(), "here");
  EXPECT_EQ(response.original_request().list_services(), "*");
  EXPECT_EQ(response.list_services_response().service_size(), static_cast<int>(kServices.size()));
}

TEST_F(ReflectionTest, ExtensionsAreToldByTheirNumbers) {
  request.set_all_extension_numbers_of_type("notification.Notification");
  const Response response = reflect(request);
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(),
            "notification.Notification");
  EXPECT_EQ(response.all_extension_numbers_response().extension_number_size(), 0);
}

TEST_F(ReflectionTest, WhatIsNotKnownIsAnErrorInTheAnswer) {
  std::vector<Request> requests(4);
  requests[0].set_file_by_filename("no/such.proto");
  requests[1].set_file_containing_symbol("no.such.Symbol");
  requests[2].mutable_file_containing_extension()->set_containing_type("no.such.Type");
  requests[3].set_all_extension_numbers_of_type("no.such.Type");
  for (const Request& unknown : requests) {
    EXPECT_EQ(reflect(unknown).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  }
  EXPECT_EQ(reflect({}).error_response().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace notify::edges
