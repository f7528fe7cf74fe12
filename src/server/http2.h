// HTTP/2 (RFC 9113) on a connection: its requests, each a stream, and their answers. The protocol is nghttp2's; bytes
// come from a Wire, so that this knows of no sockets.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/entrance.h"
#include "server/session/wire.h"

struct nghttp2_session;

namespace tiphys::server {

/// What a client begins with that knows beforehand what is spoken (RFC 9113 3.4).
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Requests at once, as Kubernetes' API server has it.
inline constexpr unsigned kMostHttp2Streams = 250;

class Http2 final : public Speaker {
 public:
  /// `peer`: its address.
  Http2(const Entrance& entrance, std::string peer);
  ~Http2() override;

  void begin(Wire& wire) override;
  void receive(std::string_view bytes) override;
  void sent_all() override;

 private:
  class Stream;
  friend class Http2Callbacks;

  /// Sends what the protocol has to say, until the wire is full.
  void pump();
  void fail(std::string_view what);
  void cancel(Executor::TimerId& timer);
  void watch_idle();
  void watch_stall();

  const Entrance entrance_;
  const std::string peer_;
  Executor& executor_;
  Wire* wire_ = nullptr;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::shared_ptr<Stream>> streams_;
  std::vector<std::int32_t> drained_;  ///< whose paused sources may go on
  std::size_t body_bytes_ = 0;         ///< of all requests that are still coming
  Executor::TimerId idle_ = 0, stalled_ = 0;
  bool busy_ = false;   ///< the library is at work: it may not be called again
  bool again_ = false;  ///< it has more to say since
  bool closed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tiphys::server
