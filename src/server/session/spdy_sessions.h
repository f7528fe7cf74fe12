// What clients do in the streams of a SPDY connection: run commands, reach ports.
#pragma once

#include <optional>

#include "base/executor.h"
#include "server/session/command_relay.h"
#include "server/session/port_relay.h"
#include "server/session/spdy_streams.h"

namespace tiphys::server {

/// A stream for each of error, stdin, stdout, stderr and resize; when all that the client asked for are there it
/// begins.
class SpdyCommand final : public SpdyStreams {
 public:
  SpdyCommand(Executor& executor, const cluster::SessionOptions& options, bool with_sizes, EndForm end,
              std::unique_ptr<cluster::Session> session);
  ~SpdyCommand() override;

 private:
  bool on_stream(Channel& channel, const SpdyHeaders& headers) override;
  void on_answered() override;

  Executor& executor_;
  const cluster::SessionOptions options_;
  const bool with_sizes_;
  CommandChannels channels_;
  Executor::TimerId timer_ = 0;
  bool begun_ = false;
  CommandRelay relay_;
};

/// A connection is a pair of streams, data and error, of one request.
class SpdyForward final : public SpdyStreams {
 public:
  SpdyForward(PortOpener open, std::string pod) : open_(std::move(open)), pod_(std::move(pod)) {}

 private:
  struct Pair {
    std::uint16_t port = 0;
    Channel* data = nullptr;
    Channel* error = nullptr;
    std::unique_ptr<PortRelay> relay;
  };
  bool on_stream(Channel& channel, const SpdyHeaders& headers) override;
  void on_answered() override;
  void end(const std::string& request);

  const PortOpener open_;
  const std::string pod_;
  std::map<std::string, Pair> pairs_;
  std::string newest_;  ///< the request of the newest stream
};

}  // namespace tiphys::server
