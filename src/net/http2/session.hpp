#pragma once
// The client side of one HTTP/2 connection without the connection: requests and received bytes go
// in, bytes to send and events come out. It has no socket and no clock, so that every case of the
// protocol can be played through in memory. connection.hpp is the shell with socket and clock.
//
// Source: RFC 9113; HPACK RFC 7541; nghttp2 does the framing.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/http2/message.hpp"

namespace notify::http2 {

using StreamId = std::int32_t;

struct SessionOptions {
  std::string scheme = "https";
  std::string authority;                         ///< host[:port], as the origin writes it
  std::size_t streams_max = 1000;                ///< our own cap below the peer's
  std::size_t response_headers_max = 16 * 1024;  ///< bytes, names and values and 32 a field
  std::size_t response_body_max = 64 * 1024;     ///< bytes
  StreamId first_stream_id = 1;                  ///< odd; the ids up to 2^31 are used once
};

/// A stream is over. Every submitted stream that was not cancelled ends with exactly one of these.
struct StreamEnded {
  StreamId id = 0;
  Result result;
};
/// The peer's SETTINGS came: limit() may have changed.
struct LimitChanged {};
/// The peer takes no new streams; those it did not process have ended already.
struct GoingAway {
  std::uint32_t error_code = 0;
  StreamId last_stream_id = 0;
  std::string debug_data;  ///< at most 1 KiB of it; APNs sends JSON with a `reason`
};
struct PingAnswered {};

using Event = std::variant<StreamEnded, LimitChanged, GoingAway, PingAnswered>;

/// Threading: one thread.
/// Errors:    never throws, except for memory.
/// Limits:    streams_max streams; a response above its maxima ends its stream as Errc::corrupt.
class Session {
 public:
  explicit Session(SessionOptions options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Queues a request; what it says is copied.
  /// Errors: Errc::invalid for a field that HTTP forbids; Errc::overloaded without room;
  ///         Errc::unavailable when accepting() is false. None of them leaves a trace.
  [[nodiscard]] base::Expected<StreamId> submit(const Request& request);

  /// Gives a stream up: it is reset with CANCEL and no event comes for it. nullopt if it is over.
  std::optional<Processed> cancel(StreamId id);

  /// Asks for a PingAnswered.
  void ping();

  /// Queues GOAWAY; the session is finished() once that is written. Open streams end at fail_all().
  void go_away();

  /// Takes bytes from the peer.
  /// Errors: Errc::corrupt if they are no HTTP/2; the session is of no use afterwards.
  [[nodiscard]] base::Expected<void> receive(std::string_view bytes);

  /// Appends whole frames to `out` until it holds `size` bytes or nothing is left to send.
  void write(std::string& out, std::size_t size);

  /// The connection is lost: every open stream ends, unwritten ones as Processed::no.
  void fail_all(const base::Error& error);

  /// What happened since the last call.
  [[nodiscard]] std::vector<Event> take_events();

  [[nodiscard]] std::size_t open_streams() const;
  /// How many streams may be open at once: the lower of our cap and the peer's setting.
  [[nodiscard]] std::size_t limit() const;
  /// False after GOAWAY in either direction, and when the stream ids are used up.
  [[nodiscard]] bool accepting() const;
  [[nodiscard]] bool wants_write() const;
  /// Nothing more to send or to receive: close the connection.
  [[nodiscard]] bool finished() const;

 private:
  class Engine;  // the corner that knows nghttp2
  std::unique_ptr<Engine> engine_;
};

}  // namespace notify::http2
