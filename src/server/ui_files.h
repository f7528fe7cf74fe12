// The built files of a web UI of Argo's server, shown to browsers beside the API.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "server/responder.h"

namespace tiphys::server {

class UiFiles {
 public:
  /// Of a folder with index.html; it is read as files are asked for. `base_path` (base_path.h)
  /// goes into the page's <base>.
  static Result<std::shared_ptr<const UiFiles>> open(std::string folder, std::string_view base_path);

  /// Answers a GET with the file, or, where there is none, with index.html: the UI's pages have paths of their own.
  void serve(Executor& executor, std::string_view target, const std::shared_ptr<Responder>& responder) const;

 private:
  UiFiles(std::string folder, std::string base) : folder_(std::move(folder)), base_(std::move(base)) {}
  Result<std::string> index() const;

  const std::string folder_;
  const std::string base_;  ///< the element of the page; "" leaves what is there
};

/// Whether the path is the UI's and none of an API's, where there is a UI. "/" is Kubernetes' list of paths to whoever
/// shows a token in a header, as no browser does by itself.
bool is_of_ui(std::string_view method, std::string_view target, bool has_authorization);

/// The page, with all its <base href="..."> replaced.
std::string with_base(std::string page, std::string_view base);

}  // namespace tiphys::server
