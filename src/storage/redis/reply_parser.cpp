#include "storage/redis/reply_parser.hpp"

#include <hiredis/read.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace notify::redis {

/// hiredis calls back for every object it has read; each is put straight into its place in the
/// reply, so that a string is copied once. Elements of an array arrive one after another and one
/// array is open per level, so a pointer to an open array stays good while it grows.
struct ReplyParser::Build {
  ReplyLimits limits;
  std::size_t bytes = 0;
  std::size_t elements = 0;
  Reply root;

  static Build& of(const redisReadTask* task) { return *static_cast<Build*>(task->privdata); }

  /// Null, which hiredis takes for "out of memory", if the reply breaks a limit.
  static void* place(const redisReadTask* task, Reply reply) {
    Build& build = of(task);
    if (++build.elements > build.limits.elements_max) return nullptr;
    if (task->parent == nullptr) {
      build.root = std::move(reply);
      return &build.root;
    }
    auto& siblings = static_cast<Reply*>(task->parent->obj)->elements();
    siblings.push_back(std::move(reply));
    return &siblings.back();
  }

  static void* create_string(const redisReadTask* task, char* text, std::size_t size) {
    Build& build = of(task);
    build.bytes += size;
    if (build.bytes > build.limits.bytes_max) return nullptr;
    std::string copy(text, size);
    switch (task->type) {
      case REDIS_REPLY_STATUS: return place(task, Reply::status(std::move(copy)));
      case REDIS_REPLY_ERROR: return place(task, Reply::error(std::move(copy)));
      default: return place(task, Reply::string(std::move(copy)));
    }
  }
  static void* create_array(const redisReadTask* task, int size) {
    constexpr std::size_t kTrusted = 64;  // the claim is the peer's; memory follows what arrives
    if (size < 0 || static_cast<std::size_t>(size) > of(task).limits.elements_max) return nullptr;
    std::vector<Reply> elements;
    elements.reserve(std::min(static_cast<std::size_t>(size), kTrusted));
    return place(task, Reply::array(std::move(elements)));
  }
  static void* create_integer(const redisReadTask* task, long long value) {
    return place(task, Reply::integer(value));
  }
  static void* create_nil(const redisReadTask* task) { return place(task, Reply::nil()); }
  static void free_object(void* /*root*/) {}  // the root belongs to Build
};

namespace {

redisReplyObjectFunctions callbacks() {
  using Build = ReplyParser::Build;
  return {&Build::create_string, &Build::create_array, &Build::create_integer, &Build::create_nil,
          &Build::free_object};
}

}  // namespace

void ReplyParser::FreeReader::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyParser::ReplyParser(ReplyLimits limits) : limits_(limits), build_(std::make_unique<Build>()) {
  static redisReplyObjectFunctions functions =
      callbacks();  // never changed; hiredis wants non-const
  reader_.reset(redisReaderCreateWithFunctions(&functions));
  build_->limits = limits;
  if (reader_) reader_->privdata = build_.get();
}

ReplyParser::~ReplyParser() = default;

base::Expected<void> ReplyParser::feed(std::string_view bytes) {
  if (!reader_ || reader_->len - reader_->pos + bytes.size() > limits_.bytes_max + (1U << 20U)) {
    return base::fail(base::Errc::corrupt, "a reply of Redis is too large");
  }
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    return base::fail(base::Errc::corrupt, "the reply parser is out of order");
  }
  return {};
}

base::Expected<std::optional<Reply>> ReplyParser::next() {
  if (!reader_) return base::fail(base::Errc::overloaded, "out of memory");
  void* reply = nullptr;
  if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
    const bool limit = reader_->err == REDIS_ERR_OOM;
    // Not hiredis' text: it quotes the byte it stumbled over.
    return base::fail(base::Errc::corrupt, limit ? "a reply of Redis is too large"
                                                 : "what Redis sent is not its protocol");
  }
  if (reply == nullptr) return std::optional<Reply>();
  build_->bytes = 0;
  build_->elements = 0;
  return std::optional<Reply>(std::move(build_->root));
}

}  // namespace notify::redis
