// Streams into a pod: a command that is run in one of its containers, a container's own streams, one of its ports.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::cluster {

struct SessionOptions {
  enum class Kind { kExec, kAttach, kPort };
  Kind kind = Kind::kExec;
  std::string container{};             ///< none for a port
  std::vector<std::string> command{};  ///< kExec
  bool in = false, out = false, err = false;
  bool tty = false;        ///< the command gets a terminal: what it writes comes as one stream
  std::uint16_t port = 0;  ///< kPort
};

/// All calls are made on, and all answers come on, the plane's thread, never inside the call and none after the
/// session's destruction. Of each kind one call at a time: the next comes after its answer, so that nothing piles up.
class Session {
 public:
  enum class Output { kOut, kErr };
  /// Pieces of an output are no larger.
  static constexpr std::size_t kMostPieceBytes = std::size_t{32} * 1024;

  /// Ends what still runs of it.
  virtual ~Session() = default;
  /// The next piece of what it writes; "" at its end. A port writes to kOut.
  virtual void read(Output from, Done<std::string> done) = 0;
  virtual void write(std::string bytes, Done<void> done) = 0;
  /// No more comes. Not while a write is under way.
  virtual void close_input() = 0;
  /// Of its terminal, when it has one.
  virtual void resize(unsigned short columns, unsigned short rows) = 0;
  /// Its exit code, 128 + signal when it was killed; what it wrote before can still be read. Not for a port.
  virtual void wait(Done<int> done) = 0;
};

/// kNotFound or kFailedPrecondition when there is nothing that runs.
using SessionOpener = std::function<void(const Object& pod, SessionOptions options, Done<std::unique_ptr<Session>>)>;

}  // namespace tiphys::cluster
