// A peer's side of an HTTP/2 connection: frames, half frames and no frames at all.

#include <map>

#include "fuzz/input.hpp"
#include "net/http2/session.hpp"

namespace {

using namespace notify::http2;

/// Counts how each stream ends.
class Run {
 public:
  Run() : session_({.authority = "push.example"}) {
    for (int i = 0; i < 3; ++i) {
      const auto id = session_.submit({.method = "POST", .path = "/3/device/ab", .body = "{}"});
      if (id) ends_[*id] = 0;
    }
  }

  void receive(std::string_view bytes) {
    if (broken_) return;
    broken_ = !session_.receive(bytes);
    look();
  }
  void write() {
    std::string out;
    session_.write(out, 16 * 1024);
  }
  void finish() {
    session_.fail_all({notify::base::Errc::unavailable, "the end"});
    look();
    for (const auto& [id, times] : ends_) {
      notify::fuzz::require(times == 1, "every stream ends exactly once");
    }
    notify::fuzz::require(session_.open_streams() == 0, "no stream is left open");
  }

 private:
  void look() {
    for (const Event& event : session_.take_events()) {
      if (const auto* ended = std::get_if<StreamEnded>(&event)) ++ends_[ended->id];
    }
  }

  Session session_;
  std::map<StreamId, int> ends_;
  bool broken_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  notify::fuzz::Input input(data, size);
  Run run;
  run.write();
  while (!input.empty()) {
    run.receive(input.take(1 + input.byte()));
    run.write();
  }
  run.finish();
  return 0;
}
