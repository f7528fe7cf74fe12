// What requests show of who asks.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "kube/kubeconfig.h"

namespace tiphys::kube {

struct Identity {
  std::string authorization;     ///< the header of this name; "": none
  std::string certificate, key;  ///< PEM; "": none
  bool operator==(const Identity&) const = default;
};

class Credentials {
 public:
  using Done = std::move_only_function<void(Result<Identity>)>;

  virtual ~Credentials() = default;
  /// `done` may be called from inside; not any more once this is destroyed.
  virtual void obtain(Done done) = 0;
  /// The server does not know this identity (401). True when another may come of asking again.
  virtual bool refused(const Identity&) { return false; }
};

/// By the user's exec plugin, else token file, else what stands in the file. Executor's thread only.
std::unique_ptr<Credentials> make_credentials(Executor& executor, const Access& access);

}  // namespace tiphys::kube
