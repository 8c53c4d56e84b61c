#pragma once
// The server side of an HTTP/2 connection in memory, on nghttp2: bytes in, bytes out, and a script
// of what to answer. Tests put it opposite our Session, directly or behind a socket.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace notify::http2::testing_peer {

struct ReceivedHeader {
  std::string name;
  std::string value;
  bool never_indexed = false;
};

struct ReceivedRequest {
  std::int32_t id = 0;
  std::vector<ReceivedHeader> headers;
  std::string body;

  [[nodiscard]] const ReceivedHeader* find(std::string_view name) const {
    for (const ReceivedHeader& header : headers) {
      if (header.name == name) return &header;
    }
    return nullptr;
  }
};

class ServerPeer {
 public:
  /// Called for every request that is complete.
  std::function<void(const ReceivedRequest&)> on_request;
  std::vector<std::pair<std::int32_t, std::uint32_t>> resets;  ///< stream id, error code
  std::vector<std::uint32_t> goaways;                          ///< received error codes
  std::size_t pings = 0;
  std::size_t requests = 0;
  std::size_t open_now = 0;
  std::size_t open_most = 0;

  explicit ServerPeer(std::uint32_t streams_max = 100, bool answer_pings = true) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    install(callbacks);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_ping_ack(option, answer_pings ? 0 : 1);
    nghttp2_session_server_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    settings(streams_max);
  }
  ~ServerPeer() { nghttp2_session_del(session_); }
  ServerPeer(const ServerPeer&) = delete;
  ServerPeer& operator=(const ServerPeer&) = delete;

  void settings(std::uint32_t streams_max) {
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
  }

  void respond(std::int32_t id, int status, std::string body = {},
               const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    const std::string status_text = std::to_string(status);
    std::vector<nghttp2_nv> fields{field(":status", status_text)};
    for (const auto& [name, value] : headers) fields.push_back(field(name, value));
    bodies_[id] = std::move(body);
    nghttp2_data_provider provider{};
    provider.read_callback = [](nghttp2_session*, std::int32_t stream, std::uint8_t* into,
                                std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                                void* self) -> ssize_t {
      std::string& left = static_cast<ServerPeer*>(self)->bodies_[stream];
      const std::size_t now = left.copy(reinterpret_cast<char*>(into), size);
      left.erase(0, now);
      if (left.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(now);
    };
    nghttp2_submit_response(session_, id, fields.data(), fields.size(),
                            bodies_[id].empty() ? nullptr : &provider);
  }

  void reset(std::int32_t id, std::uint32_t error_code) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error_code);
  }

  void go_away(std::int32_t last_stream_id, std::string_view debug) {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream_id, NGHTTP2_NO_ERROR,
                          reinterpret_cast<const std::uint8_t*>(debug.data()), debug.size());
  }

  [[nodiscard]] bool receive(std::string_view bytes) {
    return nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size()) >= 0;
  }

  [[nodiscard]] std::string take_output() {
    std::string out;
    for (;;) {
      const std::uint8_t* data = nullptr;
      const auto size = nghttp2_session_mem_send(session_, &data);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
  }

 private:
  static nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
      return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }

  static void install(nghttp2_session_callbacks* callbacks) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
          auto& peer = *static_cast<ServerPeer*>(self);
          peer.received_[frame->hd.stream_id].id = frame->hd.stream_id;
          peer.open_most = std::max(peer.open_most, ++peer.open_now);
          return 0;
        });
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t flags, void* self) {
          static_cast<ServerPeer*>(self)->received_[frame->hd.stream_id].headers.push_back(
              {{reinterpret_cast<const char*>(name), name_size},
               {reinterpret_cast<const char*>(value), value_size},
               (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0});
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                      std::size_t size, void* self) {
          static_cast<ServerPeer*>(self)->received_[id].body.append(
              reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
          static_cast<ServerPeer*>(self)->on_frame(*frame);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
          auto& peer = *static_cast<ServerPeer*>(self);
          --peer.open_now;
          peer.received_.erase(id);
          peer.bodies_.erase(id);
          return 0;
        });
  }

  void on_frame(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_RST_STREAM) {
      resets.emplace_back(frame.hd.stream_id, frame.rst_stream.error_code);
    }
    if (frame.hd.type == NGHTTP2_GOAWAY) goaways.push_back(frame.goaway.error_code);
    if (frame.hd.type == NGHTTP2_PING && (frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) ++pings;
    const bool carries_request = frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA;
    if (carries_request && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      ++requests;
      const ReceivedRequest request = received_[frame.hd.stream_id];
      if (on_request) on_request(request);
    }
  }

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, ReceivedRequest> received_;
  std::map<std::int32_t, std::string> bodies_;
};

}  // namespace notify::http2::testing_peer
