#include "cli/session.h"

#include <fmt/format.h>

#include "argo/ask.h"
#include "argo/plane_services.h"
#include "argo/services_cluster.h"
#include "artifact/repository.h"
#include "base/random.h"
#include "cli/embedded_plane.h"
#include "cli/hand_over.h"
#include "cli/remote_logs.h"
#include "cli/terminal.h"
#include "kube/cluster.h"
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
  argo::Services& services() override { return plane_->services(); }
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

/// A plane of this program that another process runs.
class RemoteSession final : public Session {
 public:
  /// `artifacts` is the folder of the plane's artifacts on this host; "" when it is unknown.
  RemoteSession(Loop& loop, http::Endpoint endpoint, const std::string& artifacts)
      : loop_(loop),
        local_(!endpoint.unix_path.empty()),
        server_{.endpoint = endpoint},
        services_(server::make_argo_client(loop.context(), server_)),
        cluster_(server::make_remote_cluster(loop.context(), std::move(endpoint))) {
    if (!artifacts.empty()) repository_ = artifact::make_folder_repository(artifacts);
  }

  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return *cluster_; }
  argo::Services& services() override { return *services_; }
  void find_artifact(argo::ArtifactName name, const std::string& folder,
                     cluster::Done<argo::FoundArtifact> done) override {
    server::find_artifact(loop_.context(), server_, name, folder, std::move(done));
  }
  std::string artifact_path(std::string_view key) override { return repository_ ? repository_->local_path(key) : ""; }
  bool remote() const override { return true; }
  bool local() const override { return local_; }

 private:
  Loop& loop_;
  bool local_;
  const server::ArgoServer server_;
  std::unique_ptr<argo::Services> services_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<artifact::Repository> repository_;
};

/// A server of Argo's API, whoever's it is.
class ArgoSession final : public Session {
 public:
  ArgoSession(Loop& loop, server::ArgoServer server)
      : loop_(loop),
        server_(std::move(server)),
        services_(server::make_argo_client(loop.context(), server_)),
        cluster_(argo::make_services_cluster(*services_)) {}

  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return *cluster_; }
  argo::Services& services() override { return *services_; }
  std::unique_ptr<cluster::Watch> read_logs(argo::PodLogRequest request, argo::PodLogSink sink) override {
    return read_remote_logs(*services_, request, loop_.now(), std::move(sink));
  }
  void find_artifact(argo::ArtifactName name, const std::string& folder,
                     cluster::Done<argo::FoundArtifact> done) override {
    server::find_artifact(loop_.context(), server_, name, folder, std::move(done));
  }
  std::string artifact_path(std::string_view) override { return ""; }
  bool remote() const override { return true; }
  bool local() const override { return false; }
  bool only_argo_api() const override { return true; }

 private:
  Loop& loop_;
  const server::ArgoServer server_;
  std::unique_ptr<argo::Services> services_;
  std::unique_ptr<cluster::Cluster> cluster_;
};

/// A Kubernetes cluster whose controllers are somewhere else.
class KubernetesSession final : public Session {
 public:
  static Result<std::unique_ptr<Session>> open(Loop& loop, const kube::Access& access) {
    auto session = std::make_unique<KubernetesSession>(loop);
    TIPHYS_TRY(session->cluster_, kube::make_kube_cluster(loop.context(), loop.executor(), session->random_, access));
    session->services_ = argo::make_services(
        {.executor = loop.executor(), .cluster = session->cluster_.get(), .random = session->random_});
    return session;
  }
  explicit KubernetesSession(Loop& loop) : loop_(loop) {}

  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return *cluster_; }
  argo::Services& services() override { return *services_; }
  void find_artifact(argo::ArtifactName, const std::string&, cluster::Done<argo::FoundArtifact> done) override {
    done(fail(Code::kUnimplemented,
              "artifacts are copied by a server of Argo's API: name it with --argo-server or ARGO_SERVER"));
  }
  std::string artifact_path(std::string_view) override { return ""; }
  bool remote() const override { return true; }
  bool local() const override { return false; }

 private:
  Loop& loop_;
  SystemRandom random_;
  std::unique_ptr<kube::KubeCluster> cluster_;
  std::unique_ptr<argo::Services> services_;
};

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
  plane_options.warm_python = options.warm_python;
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
  TIPHYS_TRY(const PlaceKind kind, options.kind());
  if (kind == PlaceKind::kDirectory) return open_directory(loop, options, need);
  if (kind == PlaceKind::kArgoServer) {
    TIPHYS_TRY(server::ArgoServer server, argo_server(loop, options));
    return std::make_unique<ArgoSession>(loop, std::move(server));
  }
  if (kind == PlaceKind::kKubernetes) {
    TIPHYS_TRY(const kube::Access access, kubernetes_access(options));
    return KubernetesSession::open(loop, access);
  }
  TIPHYS_TRY(http::Endpoint endpoint, tiphys_endpoint(options));
  return std::make_unique<RemoteSession>(loop, std::move(endpoint), "");
}

Result<PlaneRules> plane_rules(Loop& loop, const SessionOptions& options) {
  TIPHYS_TRY(const PlaceKind kind, options.kind());
  if (kind == PlaceKind::kArgoServer) return PlaneRules{.form_alone = true};
  if (kind == PlaceKind::kKubernetes) return PlaneRules{};
  http::Endpoint endpoint;
  if (kind == PlaceKind::kTiphysServer) {
    TIPHYS_TRY(endpoint, tiphys_endpoint(options));
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
    return PlaneRules{.defaults = defaults && defaults->is_object() ? doc::Shared(*page, defaults) : nullptr};
  }
  // Nobody runs the plane, it has no such page, or this user may not see it.
  const Code code = page.error().code;
  if (code != Code::kUnavailable && code != Code::kNotFound && code != Code::kPermissionDenied) {
    return std::unexpected(page.error().in("the plane does not tell its configuration"));
  }
  TIPHYS_TRY(const api::ControllerConfig config, options.config.read());
  return PlaneRules{.defaults = config.workflow_defaults};
}

std::unique_ptr<cluster::Watch> Session::read_logs(argo::PodLogRequest request, argo::PodLogSink sink) {
  return argo::read_pod_logs(loop().executor(), cluster(), std::move(request), std::move(sink));
}

Result<doc::Value> ask(Session& session, const char* service, const std::string& method, doc::Object request) {
  return await<doc::Value>(session.loop(), [&](auto done) {
    argo::ask(session.services(), service, method, std::move(request), std::move(done));
  });
}

}  // namespace tiphys::cli
