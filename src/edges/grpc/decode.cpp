#include "edges/grpc/decode.hpp"

#include <google/protobuf/descriptor.h>
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
using google::protobuf::Message;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr int kDepthMax = 4;                 // deeper than any message of ours
constexpr std::size_t kViolationsMax = 100;  // more than a caller is told of

/// Walks the wire format, guided by the descriptors. It names what cannot be read, and empties it,
/// so that all else can be parsed.
class Mender {
 public:
  /// Names of fields are as seen from `root`, wherever that is within the message.
  explicit Mender(const Descriptor& root) : root_(root) {}

  /// True if `fields`, of a message of `type`, have been changed.
  bool mend(UnknownFieldSet& fields, const Descriptor& type, const std::string& path = "",
            int depth = 0) {
    bool changed = false;
    for (int i = 0; i < fields.field_count(); ++i) {
      UnknownField& field = *fields.mutable_field(i);
      if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
      const FieldDescriptor* known = type.FindFieldByNumber(field.number());
      if (known == nullptr) continue;
      std::string& bytes = *field.mutable_length_delimited();
      const std::string name = path.empty() ? known->name() : path + "." + known->name();
      if (known->type() == FieldDescriptor::TYPE_STRING && !base::utf8_length(bytes)) {
        empty(bytes, name, "must be valid UTF-8");
        changed = true;
      } else if (known->type() == FieldDescriptor::TYPE_MESSAGE && depth < kDepthMax) {
        changed = mend_message(bytes, *known->message_type(), name, depth + 1) || changed;
      }
    }
    return changed;
  }

  [[nodiscard]] rules::Violations found() && { return std::move(found_); }

 private:
  bool mend_message(std::string& bytes, const Descriptor& type, const std::string& name,
                    int depth) {
    UnknownFieldSet inner;
    if (!inner.ParseFromString(bytes)) {
      empty(bytes, name, "is not a valid " + type.full_name() + " in protobuf's wire format");
      return true;
    }
    if (!mend(inner, type, &type == &root_ ? "" : name, depth)) return false;
    return inner.SerializeToString(&bytes);
  }

  void empty(std::string& bytes, const std::string& name, std::string what) {
    bytes.clear();
    if (found_.size() < kViolationsMax) found_.push_back({name, std::move(what)});
  }

  const Descriptor& root_;
  rules::Violations found_;
};

std::string flatten(grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  std::string wire;
  if (!bytes.Dump(&slices).ok()) return wire;
  for (const grpc::Slice& slice : slices) {
    wire.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return wire;
}

rules::Violations unreadable(const Descriptor& type) {
  return {{"*", "the request is not a valid " + type.full_name() + " in protobuf's wire format"}};
}

rules::Violations explain(const std::string& wire, const Descriptor& type) {
  UnknownFieldSet fields;
  if (!fields.ParseFromString(wire)) return unreadable(type);
  Mender mender(type);
  mender.mend(fields, type);
  rules::Violations found = std::move(mender).found();
  return found.empty() ? unreadable(type) : found;
}

/// Parses `bytes` into `message`, or else what can be read of them. Returns what is wrong.
rules::Violations salvage(const std::string& bytes, Message& message, const Descriptor& item) {
  if (message.ParseFromString(bytes)) return {};
  const Descriptor& type = *message.GetDescriptor();
  UnknownFieldSet fields;
  std::string mended;
  Mender mender(item);
  if (fields.ParseFromString(bytes) && mender.mend(fields, type) &&
      fields.SerializeToString(&mended) && message.ParseFromString(mended)) {
    return std::move(mender).found();
  }
  message.Clear();
  return unreadable(type);
}

bool parse(grpc::ByteBuffer& bytes, Message& message) {
  return grpc::GenericDeserialize<grpc::ProtoBufferReader, Message>(&bytes, &message).ok();
}

}  // namespace

std::optional<rules::Violations> decode(grpc::ByteBuffer& bytes, Message& message) {
  // Deserialize() empties the buffer; the copy shares its slices.
  grpc::ByteBuffer copy(bytes);
  if (parse(bytes, message)) return std::nullopt;
  return explain(flatten(copy), *message.GetDescriptor());
}

std::optional<rules::Violations> decode_items(grpc::ByteBuffer& bytes, Message& message,
                                              const Descriptor& item, SpoiltItems& spoilt) {
  grpc::ByteBuffer copy(bytes);
  if (parse(bytes, message)) return std::nullopt;
  message.Clear();
  const Descriptor& type = *message.GetDescriptor();
  const std::string wire = flatten(copy);
  UnknownFieldSet fields;
  if (!fields.ParseFromString(wire)) return unreadable(type);
  UnknownFieldSet others;
  std::size_t place = 0;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* known = type.FindFieldByNumber(field.number());
    const bool is_item = field.type() == UnknownField::TYPE_LENGTH_DELIMITED && known != nullptr &&
                         known->is_repeated() && known->type() == FieldDescriptor::TYPE_MESSAGE;
    if (!is_item) {
      others.AddField(field);
      continue;
    }
    Message& one = *message.GetReflection()->AddMessage(&message, known);
    rules::Violations found = salvage(field.length_delimited(), one, item);
    if (!found.empty()) spoilt.emplace(place, std::move(found));
    ++place;
  }
  std::string rest;
  if (!others.SerializeToString(&rest) || !message.MergeFromString(rest)) {
    return explain(rest, type);
  }
  return std::nullopt;
}

grpc::ByteBuffer to_bytes(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own_buffer = false;
  // It fails on messages of 2 GiB only, which no answer of ours can become.
  std::ignore =
      grpc::GenericSerialize<grpc::ProtoBufferWriter, Message>(message, &bytes, &own_buffer);
  return bytes;
}

}  // namespace notify::edges
