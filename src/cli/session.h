// What a command works on: a plane in this process, another process's or host's by its server, or a Kubernetes cluster.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "argo/artifact_files.h"
#include "argo/pod_logs.h"
#include "cli/config_file.h"
#include "cli/loop.h"
#include "cli/manifest.h"
#include "cli/place.h"
#include "cluster/cluster.h"

namespace tiphys::cli {

struct SessionOptions : Place {
  std::string runtime;  ///< of a plane in this process; see PlaneOptions
  std::string engine;
  bool offline = false;
  std::vector<std::string> host_paths, program_paths;
  std::string warm_python;  ///< see PlaneOptions
  ConfigFile config;        ///< the controller's configuration
};

/// What a command wants of a plane that no other process runs.
enum class Need {
  kRead,  ///< its objects: controllers and agent are not started
  kRun,   ///< that it works: controllers and agent run while the command does
};

class Session {
 public:
  virtual ~Session() = default;
  virtual Loop& loop() = 0;
  /// Its objects: all kinds, unless only_argo_api().
  virtual cluster::Cluster& cluster() = 0;
  /// Argo's API: what is done with workflows beside reading and writing them.
  virtual argo::Services& services() = 0;
  /// As argo::read_pod_logs.
  virtual std::unique_ptr<cluster::Watch> read_logs(argo::PodLogRequest request, argo::PodLogSink sink);
  /// argo::ArtifactFiles::find; what comes from a server is kept on the file system of `folder`.
  virtual void find_artifact(argo::ArtifactName name, const std::string& folder,
                             cluster::Done<argo::FoundArtifact> done) = 0;
  /// Where an artifact of this key lies on this host; "" when it does not.
  virtual std::string artifact_path(std::string_view key) = 0;
  /// True when another process runs the plane.
  virtual bool remote() const = 0;
  /// True when the plane is one of this host's data directories, which another process takes over when its holder ends.
  virtual bool local() const = 0;
  /// True when its server has nothing but Argo's API: it judges what is made there by what it alone knows.
  virtual bool only_argo_api() const { return false; }
};

/// Finds the plane: where options or environment say that it is (Place::kind); of a data directory the process that
/// holds it, by its socket, else the directory itself, taken for this process.
Result<std::unique_ptr<Session>> open_session(Loop& loop, const SessionOptions& options, Need need);

/// How manifests are judged for the plane that open_session would find. Its workflowDefaults are what the process that
/// runs it says, else those of --config; of Argo's servers and of clusters they are not known.
Result<PlaneRules> plane_rules(Loop& loop, const SessionOptions& options);

/// Runs one call of the cluster to its answer: await<cluster::Object>(loop, [&](auto done) { cluster.get(key,
/// std::move(done)); }).
template <typename T, typename Call>
Result<T> await(Loop& loop, Call call) {
  const auto answer = std::make_shared<std::unique_ptr<Result<T>>>();
  call([answer](Result<T> result) { *answer = std::make_unique<Result<T>>(std::move(result)); });
  loop.run_until([&] { return *answer != nullptr; });
  return std::move(**answer);
}

/// A method of Argo's API that answers once; `service` is one of argo/ask.h.
Result<doc::Value> ask(Session& session, const char* service, const std::string& method, doc::Object request);

}  // namespace tiphys::cli
