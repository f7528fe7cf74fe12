#include "cli/session.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "artifact/repository.h"
#include "cli/archive_methods.h"
#include "cli/embedded_plane.h"
#include "cli/hand_over.h"
#include "cli/terminal.h"
#include "server/artifact_client.h"
#include "server/client.h"
#include "store/data_dir.h"

namespace tiphys::cli {
namespace {

class EmbeddedSession final : public Session {
 public:
  EmbeddedSession(Loop& loop, std::unique_ptr<EmbeddedPlane> plane) : loop_(loop), plane_(std::move(plane)) {}

  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return plane_->cluster(); }
  void ask_archive(std::string_view method, doc::Object request, cluster::Done<doc::Value> done) override {
    ask_services(plane_->services(), method, std::move(request), std::move(done));
  }
  void find_artifact(argo::ArtifactName name, const std::string& /*folder*/,
                     cluster::Done<argo::FoundArtifact> done) override {
    plane_->artifacts().find(nullptr, std::move(name), std::move(done));
  }
  std::string artifact_path(std::string_view key) override { return plane_->artifact_path(key); }
  bool remote() const override { return false; }
  bool local() const override { return true; }

 private:
  Loop& loop_;
  std::unique_ptr<EmbeddedPlane> plane_;
};

class RemoteSession final : public Session {
 public:
  /// `artifacts` is the folder of the plane's artifacts on this host; "" when it is unknown.
  RemoteSession(Loop& loop, http::Endpoint endpoint, const std::string& artifacts)
      : loop_(loop),
        local_(!endpoint.unix_path.empty()),
        endpoint_(endpoint),
        cluster_(server::make_remote_cluster(loop.context(), std::move(endpoint))) {
    if (!artifacts.empty()) repository_ = artifact::make_folder_repository(artifacts);
  }

  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return *cluster_; }
  void ask_archive(std::string_view method, doc::Object request, cluster::Done<doc::Value> done) override {
    server::call_argo(loop_.context(), endpoint_, archive_request(method, std::move(request)), std::move(done));
  }
  void find_artifact(argo::ArtifactName name, const std::string& folder,
                     cluster::Done<argo::FoundArtifact> done) override {
    server::find_artifact(loop_.context(), endpoint_, name, folder, std::move(done));
  }
  std::string artifact_path(std::string_view key) override { return repository_ ? repository_->local_path(key) : ""; }
  bool remote() const override { return true; }
  bool local() const override { return local_; }

 private:
  Loop& loop_;
  bool local_;
  const http::Endpoint endpoint_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<artifact::Repository> repository_;
};

std::string token_of(const SessionOptions& options, const std::string& address) {
  if (std::string given = given_token(options); !given.empty()) return given;
  const auto data_dir = store::DataDir::locate(options.data_dir);
  if (!data_dir) return {};
  std::ifstream file(*data_dir + "/server.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto announced = doc::parse_json(text.str());
  if (!announced) return {};
  const std::string_view port = std::string_view(address).substr(address.rfind(':') + 1);
  // Only to the very server that wrote it, on this host's loopback.
  const bool same = doc::find_string(*announced, "address").ends_with(fmt::format(":{}", port)) &&
                    (address.starts_with("localhost:") || address.starts_with("127.0.0.1:"));
  return same ? std::string(doc::find_string(*announced, "token")) : "";
}

Result<http::Endpoint> endpoint_of(const SessionOptions& options, std::string address) {
  if (address.starts_with("http://")) address.erase(0, 7);
  while (address.ends_with('/')) address.pop_back();
  const auto colon = address.rfind(':');
  http::Endpoint endpoint;
  endpoint.host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.host.empty()) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("\"{}\" is no server's address: it has the form HOST:PORT, such as localhost:2746", address));
  }
  endpoint.token = token_of(options, address);
  return endpoint;
}

/// The server that options or environment name; "" when they name none.
std::string chosen_server(const SessionOptions& options) {
  for (const std::string& address : {options.server, environment("TIPHYS_SERVER"), environment("ARGO_SERVER")}) {
    if (!address.empty()) return address;
  }
  return {};
}

Result<std::unique_ptr<Session>> open_directory(Loop& loop, const SessionOptions& options, Need need) {
  PlaneOptions plane_options;
  TIPHYS_TRY(plane_options.data_dir, store::DataDir::locate(options.data_dir));
  plane_options.command = need == Need::kRun ? "tiphys run" : "tiphys";
  plane_options.runtime = options.runtime;
  plane_options.engine = options.engine;
  plane_options.offline = options.offline;
  plane_options.read_only = need == Need::kRead;
  plane_options.host_paths = options.host_paths;
  plane_options.program_paths = options.program_paths;
  if (need == Need::kRun) {
    TIPHYS_TRY(plane_options.config, options.config.read());
  }
  TIPHYS_TRY(auto plane, take_or_find_plane(loop, plane_options));
  if (plane) return std::make_unique<EmbeddedSession>(loop, std::move(plane));
  http::Endpoint endpoint;
  endpoint.unix_path = api_socket(plane_options.data_dir);
  return std::make_unique<RemoteSession>(loop, std::move(endpoint), plane_options.data_dir + "/artifacts");
}

}  // namespace

Result<std::unique_ptr<Session>> open_session(Loop& loop, const SessionOptions& options, Need need) {
  const std::string address = chosen_server(options);
  if (address.empty()) return open_directory(loop, options, need);
  TIPHYS_TRY(http::Endpoint endpoint, endpoint_of(options, address));
  return std::make_unique<RemoteSession>(loop, std::move(endpoint), "");
}

Result<doc::Shared> plane_defaults(Loop& loop, const SessionOptions& options) {
  http::Endpoint endpoint;
  if (const std::string address = chosen_server(options); !address.empty()) {
    TIPHYS_TRY(endpoint, endpoint_of(options, address));
  } else {
    TIPHYS_TRY(const std::string data_dir, store::DataDir::locate(options.data_dir));
    endpoint.unix_path = api_socket(data_dir);
  }
  const auto page = await<cluster::Object>(
      loop, [&](auto done) { server::read_config(loop.context(), std::move(endpoint), std::move(done)); });
  if (page) {
    if (!options.config.path.empty()) {
      print_error(
          fmt::format("Another process runs this plane: its configuration holds, not {}.\n", options.config.path));
    }
    const doc::Value* defaults = doc::find(**page, "workflowController", "workflowDefaults");
    return defaults && defaults->is_object() ? doc::Shared(*page, defaults) : nullptr;
  }
  // Nobody runs the plane, it has no such page, or this user may not see it.
  const Code code = page.error().code;
  if (code != Code::kUnavailable && code != Code::kNotFound && code != Code::kPermissionDenied) {
    return std::unexpected(page.error().in("the plane does not tell its configuration"));
  }
  TIPHYS_TRY(const api::ControllerConfig config, options.config.read());
  return config.workflow_defaults;
}

std::string given_token(const SessionOptions& options) {
  for (std::string token : {options.token, environment("TIPHYS_TOKEN"), environment("ARGO_TOKEN")}) {
    if (token.starts_with("Bearer ")) token.erase(0, 7);
    if (!token.empty()) return token;
  }
  return {};
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string choose_namespace(const std::string& flag) {
  if (!flag.empty()) return flag;
  const std::string variable = environment("ARGO_NAMESPACE");
  return variable.empty() ? "default" : variable;
}

}  // namespace tiphys::cli
