#include "net/http2/session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace notify::http2 {
namespace {

using base::Errc;
using base::Error;

constexpr std::size_t kDebugDataMax = 1024;
constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 §6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE

/// nghttp2 takes mutable bytes and does not change them.
std::uint8_t* bytes_of(std::string_view text) {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
}

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv field(std::string_view name, std::string_view value, Indexing indexing) {
  const auto flags = static_cast<std::uint8_t>(
      indexing == Indexing::never ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE);
  return {bytes_of(name), bytes_of(value), name.size(), value.size(), flags};
}

struct Stream {
  std::string request_body;
  std::size_t request_body_sent = 0;
  bool written = false;  ///< HEADERS was handed out: from here on the peer may know the stream
  bool reset_by_peer = false;
  std::size_t headers_size = 0;
  Response response;
};

}  // namespace

class Session::Engine {
 public:
  explicit Engine(SessionOptions options);
  ~Engine() { nghttp2_session_del(session_); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  base::Expected<StreamId> submit(const Request& request);
  std::optional<Processed> cancel(StreamId id);
  base::Expected<void> receive(std::string_view bytes);
  void write(std::string& out, std::size_t size);
  void fail_all(const Error& error);
  [[nodiscard]] bool accepting() const;
  [[nodiscard]] std::size_t limit() const;

  void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }
  void go_away() {
    going_away_ = true;
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
  }
  [[nodiscard]] std::vector<Event> take_events() { return std::exchange(events_, {}); }
  [[nodiscard]] std::size_t open_streams() const { return streams_.size(); }
  [[nodiscard]] bool wants_write() const {
    return !broken_ && nghttp2_session_want_write(session_) != 0;
  }
  [[nodiscard]] bool finished() const {
    return broken_ || (nghttp2_session_want_read(session_) == 0 && !wants_write());
  }

 private:
  using Streams = std::unordered_map<StreamId, Stream>;

  base::Expected<void> check(const Request& request) const;
  Stream* find(StreamId id);
  void end(StreamId id, Result result);
  void give_up(StreamId id, std::string_view why);
  void response_complete(StreamId id);
  void on_header(StreamId id, std::string_view name, std::string_view value);
  void on_frame(const nghttp2_frame& frame);
  void on_go_away(const nghttp2_goaway& frame);
  void on_close(StreamId id, std::uint32_t error_code);
  std::ptrdiff_t read_body(StreamId id, std::uint8_t* into, std::size_t size, std::uint32_t& flags);
  void install(nghttp2_session_callbacks& callbacks);

  SessionOptions options_;
  nghttp2_session* session_ = nullptr;
  Streams streams_;
  std::vector<Event> events_;
  bool going_away_ = false;
  bool broken_ = false;
};

Session::Engine::Engine(SessionOptions options) : options_(std::move(options)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
  install(*callbacks);
  const int made = nghttp2_session_client_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) throw std::bad_alloc();
  nghttp2_session_set_next_stream_id(session_, options_.first_stream_id);
  const std::array<nghttp2_settings_entry, 3> settings{{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(options_.response_headers_max)},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

void Session::Engine::install(nghttp2_session_callbacks& callbacks) {
  nghttp2_session_callbacks_set_on_header_callback(
      &callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                     std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                     std::uint8_t, void* self) {
        static_cast<Engine*>(self)->on_header(frame->hd.stream_id, text_of(name, name_size),
                                              text_of(value, value_size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      &callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* self) {
        auto& engine = *static_cast<Engine*>(self);
        Stream* stream = engine.find(id);
        if (stream == nullptr) return 0;
        if (stream->response.body.size() + size > engine.options_.response_body_max) {
          engine.give_up(id, "the body of the response is too long");
        } else {
          stream->response.body.append(text_of(data, size));
        }
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      &callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        static_cast<Engine*>(self)->on_frame(*frame);
        return 0;
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      &callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t error_code, void* self) {
        static_cast<Engine*>(self)->on_close(id, error_code);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_send_callback(
      &callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        if (frame->hd.type != NGHTTP2_HEADERS) return 0;
        Stream* stream = static_cast<Engine*>(self)->find(frame->hd.stream_id);
        if (stream != nullptr) stream->written = true;
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_not_send_callback(
      &callbacks, [](nghttp2_session*, const nghttp2_frame* frame, int error, void* self) {
        if (frame->hd.type != NGHTTP2_HEADERS) return 0;
        static_cast<Engine*>(self)->end(
            frame->hd.stream_id,
            failure({Errc::unavailable, std::string("not sent: ") + nghttp2_strerror(error)},
                    Processed::no));
        return 0;
      });
}

Stream* Session::Engine::find(StreamId id) {
  const auto place = streams_.find(id);
  return place == streams_.end() ? nullptr : &place->second;
}

base::Expected<void> Session::Engine::check(const Request& request) const {
  if (!accepting()) return base::fail(Errc::unavailable, "the connection takes no new streams");
  if (open_streams() >= limit()) return base::fail(Errc::overloaded, "no stream is free");
  const auto valid_value = [](std::string_view value) {
    return nghttp2_check_header_value(bytes_of(value), value.size()) != 0;
  };
  if (request.path.empty() ||
      nghttp2_check_path(bytes_of(request.path), request.path.size()) == 0) {
    return base::fail(Errc::invalid, "the path is not valid in HTTP");
  }
  if (nghttp2_check_method(bytes_of(request.method), request.method.size()) == 0) {
    return base::fail(Errc::invalid, "the method is not valid in HTTP");
  }
  for (const Header& header : request.headers) {
    if (nghttp2_check_header_name(bytes_of(header.name), header.name.size()) == 0 ||
        !valid_value(header.value)) {
      return base::fail(Errc::invalid, "a header field is not valid in HTTP");
    }
  }
  return {};
}

base::Expected<StreamId> Session::Engine::submit(const Request& request) {
  if (auto checked = check(request); !checked) return base::fail(checked.error());
  std::vector<nghttp2_nv> fields;
  fields.reserve(request.headers.size() + 4);
  fields.push_back(field(":method", request.method, Indexing::index));
  fields.push_back(field(":scheme", options_.scheme, Indexing::index));
  fields.push_back(field(":authority", options_.authority, Indexing::index));
  fields.push_back(field(":path", request.path, Indexing::never));
  for (const Header& header : request.headers) {
    fields.push_back(field(header.name, header.value, header.indexing));
  }
  nghttp2_data_provider body{};
  body.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t size,
                          std::uint32_t* flags, nghttp2_data_source*, void* self) {
    return static_cast<Engine*>(self)->read_body(id, into, size, *flags);
  };
  const StreamId id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                             request.body.empty() ? nullptr : &body, nullptr);
  if (id < 0) {
    going_away_ = going_away_ || id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE;
    return base::fail(Errc::unavailable, nghttp2_strerror(id));
  }
  streams_[id].request_body = request.body;
  return id;
}

std::ptrdiff_t Session::Engine::read_body(StreamId id, std::uint8_t* into, std::size_t size,
                                          std::uint32_t& flags) {
  Stream* stream = find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::size_t left = stream->request_body.size() - stream->request_body_sent;
  const std::size_t now = std::min(left, size);
  std::memcpy(into, stream->request_body.data() + stream->request_body_sent, now);
  stream->request_body_sent += now;
  if (now == left) flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<std::ptrdiff_t>(now);
}

std::optional<Processed> Session::Engine::cancel(StreamId id) {
  const auto place = streams_.find(id);
  if (place == streams_.end()) return std::nullopt;
  const Processed processed = place->second.written ? Processed::unknown : Processed::no;
  streams_.erase(place);
  // Also before HEADERS is written: nghttp2 then takes the request out of its queue.
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  return processed;
}

void Session::Engine::end(StreamId id, Result result) {
  if (streams_.erase(id) != 0) events_.emplace_back(StreamEnded{id, std::move(result)});
}

void Session::Engine::give_up(StreamId id, std::string_view why) {
  end(id, failure({Errc::corrupt, std::string(why)}, Processed::unknown));
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void Session::Engine::on_header(StreamId id, std::string_view name, std::string_view value) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->headers_size += name.size() + value.size() + kFieldOverhead;
  if (stream->headers_size > options_.response_headers_max) {
    give_up(id, "the headers of the response are too long");
    return;
  }
  if (name == ":status") {
    // A second status follows an interim (1xx) response, whose fields do not count.
    stream->response.headers.clear();
    std::from_chars(value.data(), value.data() + value.size(), stream->response.status);
    return;
  }
  stream->response.headers.push_back({std::string(name), std::string(value)});
}

void Session::Engine::on_frame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) response_complete(frame.hd.stream_id);
      return;
    case NGHTTP2_RST_STREAM:
      if (Stream* stream = find(frame.hd.stream_id)) stream->reset_by_peer = true;
      return;
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) events_.emplace_back(LimitChanged{});
      return;
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) events_.emplace_back(PingAnswered{});
      return;
    case NGHTTP2_GOAWAY: on_go_away(frame.goaway); return;
    default: return;
  }
}

void Session::Engine::response_complete(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  end(id, std::move(stream->response));
  // An answer before all of the request was read (RFC 9113 §8.1): do not send the rest.
  if (nghttp2_session_get_stream_local_close(session_, id) == 0) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }
}

void Session::Engine::on_go_away(const nghttp2_goaway& frame) {
  going_away_ = true;
  std::vector<StreamId> unprocessed;
  for (const auto& [id, stream] : streams_) {
    if (id > frame.last_stream_id || !stream.written) unprocessed.push_back(id);
  }
  std::sort(unprocessed.begin(), unprocessed.end());
  for (const StreamId id : unprocessed) {
    end(id, failure({Errc::unavailable, "the peer is going away"}, Processed::no));
  }
  const std::size_t size = std::min(frame.opaque_data_len, kDebugDataMax);
  events_.emplace_back(GoingAway{frame.error_code, frame.last_stream_id,
                                 std::string(text_of(frame.opaque_data, size))});
}

void Session::Engine::on_close(StreamId id, std::uint32_t error_code) {
  const Stream* stream = find(id);
  if (stream == nullptr) return;
  if (error_code == NGHTTP2_REFUSED_STREAM) {
    end(id, failure({Errc::unavailable, "the peer refused the stream"}, Processed::no));
  } else if (stream->reset_by_peer) {
    end(id, failure({Errc::unavailable, std::string("the peer reset the stream: ") +
                                            nghttp2_http2_strerror(error_code)},
                    Processed::unknown));
  } else {
    end(id, failure({Errc::corrupt, "the response breaks the rules of HTTP"}, Processed::unknown));
  }
}

base::Expected<void> Session::Engine::receive(std::string_view bytes) {
  const auto taken = nghttp2_session_mem_recv(session_, bytes_of(bytes), bytes.size());
  if (taken >= 0) return {};
  going_away_ = true;
  return base::fail(Errc::corrupt, nghttp2_strerror(static_cast<int>(taken)));
}

void Session::Engine::write(std::string& out, std::size_t size) {
  while (out.size() < size) {
    const std::uint8_t* frame = nullptr;
    const auto length = nghttp2_session_mem_send(session_, &frame);
    if (length < 0) broken_ = true;  // memory, or nghttp2's own trouble: nothing more will come
    if (length <= 0) return;
    out.append(text_of(frame, static_cast<std::size_t>(length)));
  }
}

void Session::Engine::fail_all(const Error& error) {
  going_away_ = true;
  Streams lost = std::exchange(streams_, {});
  for (const auto& [id, stream] : lost) {
    const Processed processed = stream.written ? Processed::unknown : Processed::no;
    events_.emplace_back(StreamEnded{id, failure(error, processed)});
  }
}

bool Session::Engine::accepting() const {
  return !going_away_ && nghttp2_session_check_request_allowed(session_) != 0 &&
         nghttp2_session_get_next_stream_id(session_) < (1U << 31);
}

std::size_t Session::Engine::limit() const {
  const std::uint32_t peers =
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return std::min<std::size_t>(peers, options_.streams_max);
}

Session::Session(SessionOptions options) : engine_(std::make_unique<Engine>(std::move(options))) {}
Session::~Session() = default;

base::Expected<StreamId> Session::submit(const Request& request) {
  return engine_->submit(request);
}
std::optional<Processed> Session::cancel(StreamId id) { return engine_->cancel(id); }
void Session::ping() { engine_->ping(); }
void Session::go_away() { engine_->go_away(); }
base::Expected<void> Session::receive(std::string_view bytes) { return engine_->receive(bytes); }
void Session::write(std::string& out, std::size_t size) { engine_->write(out, size); }
void Session::fail_all(const Error& error) { engine_->fail_all(error); }
std::vector<Event> Session::take_events() { return engine_->take_events(); }
std::size_t Session::open_streams() const { return engine_->open_streams(); }
std::size_t Session::limit() const { return engine_->limit(); }
bool Session::accepting() const { return engine_->accepting(); }
bool Session::wants_write() const { return engine_->wants_write(); }
bool Session::finished() const { return engine_->finished(); }

}  // namespace notify::http2
