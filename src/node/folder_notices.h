// The kernel's notices of what changes in folders of this host: one inotify instance for all who follow some.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::node {

class FolderNotices {
 public:
  /// Its end ends the following.
  class Following {
   public:
    virtual ~Following() = default;
  };

  explicit FolderNotices(boost::asio::io_context& context);
  ~FolderNotices();

  /// `on_change` is called on the context's thread after something in the folder was written, made or moved there, and
  /// when the kernel may have left notices out. An error where the folder cannot be followed, as where the machine has
  /// no more watches.
  Result<std::unique_ptr<Following>> follow(const std::string& folder, std::function<void()> on_change);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::node
