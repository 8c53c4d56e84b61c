#include "edges/grpc/decode.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <string>
#include <tuple>
#include <vector>

#include "base/text.hpp"

namespace notify::edges {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr int kDepthMax = 4;  // deeper than any message of ours

/// Walks the wire format, guided by the descriptor, and names the texts that are not UTF-8.
void find_bad_texts(const UnknownFieldSet& fields, const Descriptor& type, const std::string& path,
                    int depth, rules::Violations& found) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    const FieldDescriptor* known = type.FindFieldByNumber(field.number());
    if (known == nullptr) continue;
    const std::string& bytes = field.length_delimited();
    const std::string name = path.empty() ? known->name() : path + "." + known->name();
    if (known->type() == FieldDescriptor::TYPE_STRING && !base::utf8_length(bytes)) {
      found.push_back({name, "must be valid UTF-8"});
    } else if (known->type() == FieldDescriptor::TYPE_MESSAGE && depth < kDepthMax) {
      UnknownFieldSet inner;
      if (inner.ParseFromString(bytes)) {
        find_bad_texts(inner, *known->message_type(), name, depth + 1, found);
      }
    }
  }
}

rules::Violations explain(grpc::ByteBuffer& bytes, const Descriptor& type) {
  std::vector<grpc::Slice> slices;
  std::string wire;
  if (bytes.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      wire.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  rules::Violations found;
  UnknownFieldSet fields;
  if (fields.ParseFromString(wire)) find_bad_texts(fields, type, "", 0, found);
  if (found.empty()) {
    found.push_back(
        {"*", "the request is not a valid " + type.full_name() + " in protobuf's wire format"});
  }
  return found;
}

}  // namespace

std::optional<rules::Violations> decode(grpc::ByteBuffer& bytes,
                                        google::protobuf::Message& message) {
  // Deserialize() empties the buffer; the copy shares its slices.
  grpc::ByteBuffer copy(bytes);
  const grpc::Status parsed =
      grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(&bytes,
                                                                                   &message);
  if (parsed.ok()) return std::nullopt;
  return explain(copy, *message.GetDescriptor());
}

grpc::ByteBuffer to_bytes(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool own_buffer = false;
  // It fails on messages of 2 GiB only, which no answer of ours can become.
  std::ignore = grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(
      message, &bytes, &own_buffer);
  return bytes;
}

}  // namespace notify::edges
