// One call of Argo's API: what is asked and where the answer goes, whether it came by REST or by gRPC.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "argo/methods.h"
#include "base/error.h"
#include "cluster/cluster.h"
#include "doc/value.h"
#include "objects/access.h"

namespace tiphys::argo {

/// Where the answer to a call goes: one message, or a stream of them, or an error. Calls come on the plane's thread;
/// after the caller has gone they do nothing.
class Answer {
 public:
  virtual ~Answer() = default;
  /// The response as JSON has the method's message; ends the call.
  virtual void reply(const doc::Value& message) = 0;
  /// The same, for what is text already.
  virtual void reply_text(std::string json) = 0;
  /// One message of a stream.
  virtual void send(std::string json) = 0;
  /// From now on a caller may not lag: what a stream has told was there to be read all at once.
  virtual void caught_up() = 0;
  /// The end of a stream.
  virtual void end() = 0;
  /// Ends the call, also in a stream's midst.
  virtual void refuse(Error error) = 0;
  /// Keeps what feeds the stream, and this, while the caller reads; it is asked to pause while the caller is slow.
  virtual void hold(std::unique_ptr<cluster::Watch> source) = 0;
};

/// A header that begins with "X-", its name in lower case.
struct ExtraHeader {
  std::string name, value;
};

struct Call {
  const Method& method;
  doc::Object request;                            ///< the method's request message, as JSON has it
  std::shared_ptr<const objects::Caller> caller;  ///< null: the plane's owner
  std::shared_ptr<Answer> answer;
  std::vector<ExtraHeader> extra{};
};

class Services {
 public:
  virtual ~Services() = default;
  /// Answers at once or later.
  virtual void call(Call call) = 0;
};

}  // namespace tiphys::argo
