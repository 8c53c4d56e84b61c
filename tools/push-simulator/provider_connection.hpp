#pragma once
// One client of a push provider: moves bytes between its socket and its Http2Session, and carries
// out what the endpoint decides.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/async/channel.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "push-simulator/http2_session.hpp"
#include "push-simulator/provider_endpoint.hpp"

namespace notify::simulator {

/// Threading: one executor.
/// Lifetime:  shared by its reading and its writing task; gone when both have ended.
class ProviderConnection final : private Http2Session::Handler {
 public:
  struct Context {
    async::Timers& timers;
    ProviderEndpoint& endpoint;
    async::TaskGroup& tasks;
    std::uint64_t number = 0;
    std::uint32_t first_streams = 0;  ///< until a request opens the gate
    std::uint32_t max_streams = 0;
  };
  using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

  ProviderConnection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls,
                     const Context& context);
  ~ProviderConnection() override;

 private:
  using Self = std::shared_ptr<ProviderConnection>;
  friend async::Task<void> serve_provider(Self self);
  static async::Task<base::Expected<void>> shake_hands(Self self);
  static async::Task<base::Expected<void>> say_goodbye(Self self);
  static async::Task<void> read_loop(Self self);
  static async::Task<void> write_loop(Self self);

  void on_request(StreamId stream, const HttpRequest& request) override;
  void on_stream_end(StreamId stream) override;
  void carry_out(StreamId stream, ProviderAction action);
  void respond_later(StreamId stream, HttpResponse response, std::chrono::milliseconds delay);
  void go_away(StreamId last, std::string_view debug_data);
  void wake_writer();
  void close();

  Context context_;
  Stream stream_;
  async::Channel<async::Unit> wake_;
  Http2Session session_;
  std::unordered_map<StreamId, std::unique_ptr<async::Timer>> delayed_;
  bool gate_open_;           ///< the client may use all streams
  bool going_away_ = false;  ///< later streams are not looked at
  bool close_after_write_ = false;
  bool half_close_after_write_ = false;
};

/// Serves one client to its end.
[[nodiscard]] async::Task<void> serve_provider(std::shared_ptr<ProviderConnection> self);

}  // namespace notify::simulator
