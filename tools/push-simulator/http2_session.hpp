#pragma once
// The server's side of one HTTP/2 connection, without the connection: bytes in, requests out;
// responses in, bytes out. A thin, safe cover over nghttp2.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "push-simulator/http_request.hpp"

namespace notify::simulator {

using StreamId = std::int32_t;

struct ResponseHeader {
  std::string_view name;  ///< static text, lower case
  std::string value;
};

struct HttpResponse {
  int status = 200;
  std::vector<ResponseHeader> headers;  ///< of the provider; they stay out of the HPACK table
  std::optional<std::int64_t> retry_after_s;
  std::string body;  ///< JSON, or nothing
};

/// Threading: one thread.
/// Lifetime:  `handler` outlives this.
/// Errors:    receive() fails once the peer broke the protocol; the connection is then to be closed
///            after what produce() still has.
class Http2Session {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    /// A whole request has arrived; `request` is valid during the call. Any method of the session
    /// but receive() and produce() may be called inside.
    virtual void on_request(StreamId stream, const HttpRequest& request) = 0;
    /// Answered, reset by either side, or lost with the connection.
    virtual void on_stream_end(StreamId stream) = 0;
  };

  Http2Session(Handler& handler, std::uint32_t max_streams);
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;
  ~Http2Session();

  [[nodiscard]] base::Expected<void> receive(std::string_view bytes);
  /// Appends what is to be sent until `out` holds about `enough` bytes.
  void produce(std::string& out, std::size_t enough);

  /// Ignored if the stream has ended meanwhile.
  void respond(StreamId stream, HttpResponse response);
  void refuse(StreamId stream);
  /// Streams above `last` were not processed; the lower ones are still answered.
  void go_away(StreamId last, std::string_view debug_data);
  void set_max_streams(std::uint32_t max_streams);

  /// Nothing more will be read or written: close.
  [[nodiscard]] bool is_finished() const;
  [[nodiscard]] std::size_t open_streams() const { return open_streams_; }

 private:
  struct Stream {
    HttpRequest request;
    std::string response_body;
    std::size_t sent = 0;
  };

  static Http2Session& self(void* user_data) { return *static_cast<Http2Session*>(user_data); }
  static nghttp2_session* make_session(Http2Session& owner);
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void*);
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                       const std::uint8_t*, std::size_t, std::uint8_t, void*);
  static int on_data(nghttp2_session*, std::uint8_t, StreamId, const std::uint8_t*, std::size_t,
                     void*);
  static int on_frame(nghttp2_session*, const nghttp2_frame*, void*);
  static int on_stream_close(nghttp2_session*, StreamId, std::uint32_t, void*);
  static ::ssize_t read_body(nghttp2_session*, StreamId, std::uint8_t*, std::size_t, std::uint32_t*,
                             nghttp2_data_source*, void*);

  [[nodiscard]] Stream* find(StreamId id) const;
  [[nodiscard]] Stream* take_stream();
  void add_header(Stream& stream, std::string_view name, std::string_view value);

  Handler& handler_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> idle_;
  std::size_t open_streams_ = 0;
  nghttp2_session* session_;
};

}  // namespace notify::simulator
