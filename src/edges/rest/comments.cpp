#include "edges/rest/comments.hpp"

#include <google/protobuf/descriptor.pb.h>

#include <sstream>

#include "notification/descriptor_set.pb.h"

namespace notify::edges::rest {
namespace {

/// "// One.\n// Two." arrives as " One.\n Two.\n".
std::string cleaned(const std::string& comment) {
  std::istringstream lines(comment);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(' ')) line.erase(0, 1);
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

template <class Descriptor>
std::string comment_of(const Descriptor* described) {
  google::protobuf::SourceLocation location;
  if (described == nullptr || !described->GetSourceLocation(&location)) return "";
  return cleaned(location.leading_comments);
}

}  // namespace

Comments::Comments() {
  google::protobuf::FileDescriptorSet set;
  const std::string_view bytes = proto::descriptor_set();
  set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  for (const auto& file : set.file()) files_.Add(file);
}

Comments::~Comments() = default;

std::string Comments::of(const google::protobuf::MethodDescriptor& method) const {
  return comment_of(pool_.FindMethodByName(method.full_name()));
}
std::string Comments::of(const google::protobuf::Descriptor& message) const {
  return comment_of(pool_.FindMessageTypeByName(message.full_name()));
}
std::string Comments::of(const google::protobuf::FieldDescriptor& field) const {
  return comment_of(pool_.FindFieldByName(field.full_name()));
}
std::string Comments::of(const google::protobuf::EnumDescriptor& type) const {
  return comment_of(pool_.FindEnumTypeByName(type.full_name()));
}

}  // namespace notify::edges::rest
