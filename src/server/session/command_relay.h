// Between a client's streams and a command: standard streams, the size of its terminal, how it ended.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/session.h"
#include "server/session/channel.h"

namespace tiphys::server {

/// Null for what the client did not ask for.
struct CommandChannels {
  Channel* error = nullptr;
  Channel* in = nullptr;
  Channel* out = nullptr;
  Channel* err = nullptr;
  Channel* resize = nullptr;
};

/// How the end of a command is told: as a Status from v4 of the protocols on, before that in words, and nothing when
/// all is well.
enum class EndForm { kWords, kStatus };

std::string command_end(int code, const std::vector<std::string>& command, EndForm form);

class CommandRelay {
 public:
  /// The channels outlive it.
  CommandRelay(std::unique_ptr<cluster::Session> session, std::vector<std::string> command, EndForm form)
      : command_(std::move(command)), form_(form), session_(std::move(session)) {}

  /// `on_end` is called once, when all has been written and closed. It may not destroy this.
  void begin(const CommandChannels& channels, std::function<void()> on_end);

 private:
  using Output = cluster::Session::Output;
  void pass_output(Output from, Channel* to);
  void pass_input();
  void read_sizes();
  void end_output(Channel* channel);
  void maybe_end();

  const std::vector<std::string> command_;
  const EndForm form_;
  CommandChannels channels_;
  std::function<void()> on_end_;
  std::optional<int> code_;
  int open_outputs_ = 2;
  std::string size_text_;
  std::unique_ptr<cluster::Session> session_;  ///< first to go: it calls the rest
};

}  // namespace tiphys::server
