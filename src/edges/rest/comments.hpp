#pragma once
// The comments of the .proto files, which are the documentation of the API: generated code leaves
// them out, so they come from descriptors that the build embeds.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>

#include <memory>
#include <string>

namespace notify::edges::rest {

/// Threading: none of its own.
class Comments {
 public:
  Comments();
  ~Comments();
  Comments(const Comments&) = delete;
  Comments& operator=(const Comments&) = delete;

  // The comment above a declaration, its lines joined as they are; empty if there is none.
  [[nodiscard]] std::string of(const google::protobuf::MethodDescriptor& method) const;
  [[nodiscard]] std::string of(const google::protobuf::Descriptor& message) const;
  [[nodiscard]] std::string of(const google::protobuf::FieldDescriptor& field) const;
  [[nodiscard]] std::string of(const google::protobuf::EnumDescriptor& type) const;

 private:
  google::protobuf::SimpleDescriptorDatabase files_;
  google::protobuf::DescriptorPool pool_{&files_};
};

}  // namespace notify::edges::rest
