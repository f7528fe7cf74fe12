#include "server/artifact_client.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "base/percent.h"
#include "base/strings.h"
#include "server/argo/errors.h"

namespace tiphys::server {
namespace {

std::string path_of(const argo::ArtifactName& name) {
  const bool archived = !name.uid.empty();
  std::string path = "/artifact-files";
  for (const std::string& part :
       {name.ns, std::string(archived ? "archived-workflows" : "workflows"), archived ? name.uid : name.workflow,
        name.node, std::string(name.input ? "inputs" : "outputs"), name.artifact}) {
    path += "/" + percent_encode(part);
  }
  for (const std::string_view part : split(name.file, '/')) {
    if (!part.empty()) path += "/" + percent_encode(part);
  }
  return path;
}

/// Holds itself until it is answered.
struct Finding : std::enable_shared_from_this<Finding> {
  http::Client client;
  const std::string path, folder;
  const std::vector<std::pair<std::string, std::string>> headers;
  cluster::Done<argo::FoundArtifact> done;
  argo::FoundArtifact found{};
  std::unique_ptr<http::Call> call{};
  unsigned code = 0;
  std::string text{};  ///< of an answer that is no file
  Status kept{};

  Finding(boost::asio::io_context& context, ArgoServer server, const std::string& at, std::string in,
          cluster::Done<argo::FoundArtifact> then)
      : client(context, std::move(server.endpoint)),
        path(server.base_path + at),
        folder(std::move(in)),
        headers(std::move(server.headers)),
        done(std::move(then)) {}

  void ask(bool for_folder) {
    http::Sink sink;
    sink.on_head = [this](const http::Head& head) { code = head.code; };
    sink.on_body = [this, for_folder](std::string_view part) {
      if (code == 200 && !for_folder) return keep(part);
      text += part;
    };
    sink.on_end = [self = shared_from_this(), for_folder](Status status) {
      const auto held = self;
      const auto finished = std::move(held->call);
      if (status && !held->kept) status = held->kept;
      if (!status) return held->done(std::unexpected(status.error()));
      for_folder ? held->end_folder() : held->end_file();
    };
    http::Request request{.target = path + (for_folder ? "/" : "")};
    request.headers = headers;
    if (for_folder) request.headers.emplace_back("Accept", "application/json");
    call = client.call(std::move(request), std::move(sink));
  }

  Status open() {
    if (found.file) return {};
    found.file.reset(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!found.file) return fail_errno(folder, errno);
    return {};
  }

  void keep(std::string_view part) {
    if (kept) kept = open();
    while (kept && !part.empty()) {
      const ssize_t written = ::write(found.file.get(), part.data(), part.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) kept = fail_errno(folder, errno);
      if (written > 0) part.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void refuse() {
    done(fail(code_of_http(code), text.empty() ? fmt::format("the server answers {}", code) : std::string(trim(text))));
  }

  void end_file() {
    if (code == 307) return ask(true);
    if (code != 200) return refuse();
    if (const Status opened = open(); !opened) return done(std::unexpected(opened.error()));
    if (::lseek(found.file.get(), 0, SEEK_SET) < 0) return done(fail_errno(folder, errno));
    done(std::move(found));
  }

  void end_folder() {
    const auto listed = code == 200 ? doc::parse_json(text) : doc::Value();
    const doc::Value* files = listed ? doc::find(*listed, "files") : nullptr;
    if (code != 200) return refuse();
    if (!files || !files->is_array()) return done(fail(Code::kUnimplemented, "the server does not list folders"));
    for (const doc::Value& file : files->get_array()) found.files.push_back(doc::scalar_text(file));
    done(std::move(found));
  }
};

}  // namespace

void find_artifact(boost::asio::io_context& context, ArgoServer server, const argo::ArtifactName& name,
                   const std::string& folder, cluster::Done<argo::FoundArtifact> done) {
  std::make_shared<Finding>(context, std::move(server), path_of(name), folder, std::move(done))->ask(false);
}

}  // namespace tiphys::server
