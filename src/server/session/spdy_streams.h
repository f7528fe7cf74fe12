// The streams of a SPDY connection that a client opens.
//
// What speaks SPDY with Kubernetes is Go's spdystream, which knows no windows: it neither grows ours nor heeds its own.
// So both sides are slowed down by the connection alone.
#pragma once

#include <map>
#include <memory>

#include "server/session/channel.h"
#include "server/session/spdy_frames.h"

namespace tiphys::server {

class SpdyStreams : public Speaker, protected Carrier {
 public:
  static constexpr std::size_t kMostStreams = 256;

  void begin(Wire& wire) final { begin_on(wire); }
  void receive(std::string_view bytes) final;
  void sent_all() final { go_on(); }

 protected:
  /// A new stream; false refuses it. It may not be written to before this has returned.
  virtual bool on_stream(Channel& channel, const SpdyHeaders& headers) = 0;
  /// The streams that on_stream has taken have been answered, and may be written to.
  virtual void on_answered() = 0;
  /// Forgets a stream: what still comes on it is dropped.
  void release(Channel& channel);
  /// All is done.
  void finish();

 private:
  void take(SpdyFrame frame);
  void open(const SpdyFrame& frame);
  void take_data(SpdyFrame frame);
  void frame(Channel& channel, std::string_view bytes) override;
  void frame_end(Channel& channel) override;

  SpdyReader reader_;
  SpdyWriter writer_;
  std::uint32_t newest_ = 0;
  bool closing_ = false;
  std::map<std::uint32_t, std::unique_ptr<Channel>> streams_;
};

}  // namespace tiphys::server
