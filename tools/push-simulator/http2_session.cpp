#include "push-simulator/http2_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

/// Room for all streams to send at once, so that flow control never holds a request back.
constexpr std::int32_t kConnectionWindow = 16 * 1024 * 1024;
constexpr std::size_t kMaxHeaders = 64;  // of one request; Apple documents nine

std::uint8_t* octets(std::string_view text) {
  // nghttp2 takes mutable pointers and does not write.
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

std::string_view text_view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv header(std::string_view name, std::string_view value,
                  std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  return {octets(name), octets(value), name.size(), value.size(),
          static_cast<std::uint8_t>(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME)};
}

}  // namespace

nghttp2_session* Http2Session::make_session(Http2Session& owner) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_closed_streams(option, 1);  // priorities are ignored: keep no old streams
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new2(&session, callbacks, &owner, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  return session;
}

Http2Session::Http2Session(Handler& handler, std::uint32_t max_streams)
    : handler_(handler), session_(make_session(*this)) {
  set_max_streams(max_streams);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

Expected<void> Http2Session::receive(std::string_view input) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(input.data());
  const ::ssize_t taken = nghttp2_session_mem_recv(session_, data, input.size());
  if (taken < 0) return fail(Errc::invalid, nghttp2_strerror(static_cast<int>(taken)));
  return {};
}

void Http2Session::produce(std::string& out, std::size_t enough) {
  while (out.size() < enough) {
    const std::uint8_t* data = nullptr;
    const ::ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) return;
    out.append(text_view(data, static_cast<std::size_t>(size)));
  }
}

void Http2Session::respond(StreamId id, HttpResponse response) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  const fmt::format_int status(response.status);
  const fmt::format_int retry_after(response.retry_after_s.value_or(0));
  boost::container::small_vector<nghttp2_nv, 8> headers;
  headers.push_back(header(":status", {status.data(), status.size()}));
  for (const ResponseHeader& own : response.headers) {  // ids, mostly: never the same twice
    headers.push_back(header(own.name, own.value, NGHTTP2_NV_FLAG_NO_INDEX));
  }
  if (response.retry_after_s) {
    headers.push_back(header("retry-after", {retry_after.data(), retry_after.size()}));
  }
  if (!response.body.empty()) headers.push_back(header("content-type", "application/json"));

  stream->response_body = std::move(response.body);
  stream->sent = 0;
  nghttp2_data_provider body{};
  body.source.ptr = stream;
  body.read_callback = read_body;
  nghttp2_submit_response(session_, id, headers.data(), headers.size(),
                          stream->response_body.empty() ? nullptr : &body);
}

void Http2Session::refuse(StreamId id) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
}

void Http2Session::go_away(StreamId last, std::string_view debug_data) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, std::max(last, 0), NGHTTP2_NO_ERROR,
                        octets(debug_data), debug_data.size());
}

void Http2Session::set_max_streams(std::uint32_t max_streams) {
  const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
}

bool Http2Session::is_finished() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

Http2Session::Stream* Http2Session::find(StreamId id) const {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

Http2Session::Stream* Http2Session::take_stream() {
  if (idle_.empty()) {
    streams_.push_back(std::make_unique<Stream>());
    idle_.push_back(streams_.back().get());
  }
  Stream* stream = idle_.back();
  idle_.pop_back();
  stream->request.clear();
  stream->response_body.clear();
  return stream;
}

void Http2Session::add_header(Stream& stream, std::string_view name, std::string_view value) {
  if (name == ":method") {
    stream.request.method.assign(value);
  } else if (name == ":path") {
    stream.request.path.assign(value);
  } else if (!name.starts_with(':') && stream.request.headers.size() < kMaxHeaders) {
    stream.request.headers.add(name, value);
  }
}

int Http2Session::on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame,
                                   void* user_data) {
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  Http2Session& me = self(user_data);
  ++me.open_streams_;
  return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, me.take_stream());
}

int Http2Session::on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                            std::size_t name_size, const std::uint8_t* value,
                            std::size_t value_size, std::uint8_t, void* user_data) {
  Http2Session& me = self(user_data);
  if (Stream* stream = me.find(frame->hd.stream_id); stream != nullptr) {
    me.add_header(*stream, text_view(name, name_size), text_view(value, value_size));
  }
  return 0;
}

int Http2Session::on_data(nghttp2_session*, std::uint8_t, StreamId id, const std::uint8_t* data,
                          std::size_t size, void* user_data) {
  if (Stream* stream = self(user_data).find(id); stream != nullptr) {
    stream->request.add_body(text_view(data, size));
  }
  return 0;
}

int Http2Session::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
  const bool carries_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!carries_request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  Http2Session& me = self(user_data);
  if (Stream* stream = me.find(frame->hd.stream_id); stream != nullptr) {
    me.handler_.on_request(frame->hd.stream_id, stream->request);
  }
  return 0;
}

int Http2Session::on_stream_close(nghttp2_session* session, StreamId id, std::uint32_t,
                                  void* user_data) {
  Http2Session& me = self(user_data);
  Stream* stream = me.find(id);
  if (stream == nullptr) return 0;
  nghttp2_session_set_stream_user_data(session, id, nullptr);
  me.idle_.push_back(stream);
  --me.open_streams_;
  me.handler_.on_stream_end(id);
  return 0;
}

::ssize_t Http2Session::read_body(nghttp2_session*, StreamId, std::uint8_t* out, std::size_t room,
                                  std::uint32_t* flags, nghttp2_data_source* source, void*) {
  Stream& stream = *static_cast<Stream*>(source->ptr);
  const std::size_t size = std::min(room, stream.response_body.size() - stream.sent);
  std::copy_n(stream.response_body.data() + stream.sent, size, reinterpret_cast<char*>(out));
  stream.sent += size;
  if (stream.sent == stream.response_body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<::ssize_t>(size);
}

}  // namespace notify::simulator
