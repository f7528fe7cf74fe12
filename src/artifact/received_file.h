// Files of this host that the body of an answer goes to.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "web/http_client.h"

namespace tiphys::artifact {

/// Made by the first byte, or when it is kept; gone when it is not kept.
class ReceivedFile {
 public:
  explicit ReceivedFile(std::string path) : path_(std::move(path)) {}
  ~ReceivedFile();
  ReceivedFile(const ReceivedFile&) = delete;
  ReceivedFile& operator=(const ReceivedFile&) = delete;

  /// Lives no longer than this.
  web::BodySink sink();
  /// Why bytes could not be written, if they could not.
  const Status& status() const { return status_; }
  Status keep();

 private:
  bool open();

  const std::string path_;
  UniqueFd file_;
  Status status_;
  bool kept_ = false;
};

/// A folder whose files come from elsewhere; gone when it is not kept.
class TreeBelow {
 public:
  explicit TreeBelow(std::string top) : top_(std::move(top)) {}
  ~TreeBelow();
  TreeBelow(const TreeBelow&) = delete;
  TreeBelow& operator=(const TreeBelow&) = delete;

  /// The path of a file below the top, its folders made. Names that lead out of it are refused.
  Result<std::string> file(std::string_view relative);
  /// Makes a folder below the top; "" is the top.
  Status folder(std::string_view relative);
  void keep() { kept_ = true; }

 private:
  const std::string top_;
  bool kept_ = false;
};

}  // namespace tiphys::artifact
