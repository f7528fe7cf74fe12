// What a command works on: a plane in this process, or another process's by its server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "argo/artifact_files.h"
#include "cli/config_file.h"
#include "cli/loop.h"
#include "cluster/cluster.h"

namespace tiphys::cli {

struct SessionOptions {
  std::string data_dir;  ///< --data-dir; "" takes the usual place
  std::string server;    ///< --server HOST:PORT; "" takes TIPHYS_SERVER or ARGO_SERVER
  std::string token;     ///< --token; "" takes TIPHYS_TOKEN, ARGO_TOKEN or the data directory's server.json
  std::string runtime;   ///< of a plane in this process; see PlaneOptions
  std::string engine;
  bool offline = false;
  std::vector<std::string> host_paths, program_paths;
  ConfigFile config;  ///< the controller's configuration
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
  virtual cluster::Cluster& cluster() = 0;
  /// A method of Argo's ArchivedWorkflowService ("ListArchivedWorkflows"), its request and response as documents.
  virtual void ask_archive(std::string_view method, doc::Object request, cluster::Done<doc::Value> done) = 0;
  /// argo::ArtifactFiles::find; what comes from a server is kept on the file system of `folder`.
  virtual void find_artifact(argo::ArtifactName name, const std::string& folder,
                             cluster::Done<argo::FoundArtifact> done) = 0;
  /// Where an artifact of this key lies on this host; "" when it does not.
  virtual std::string artifact_path(std::string_view key) = 0;
  /// True when another process runs the plane.
  virtual bool remote() const = 0;
  /// True when the plane is one of this host's data directories, which another process takes over when its holder ends.
  virtual bool local() const = 0;
};

/// Finds the plane: the server that options or environment name; else the process that holds the data directory, by its
/// socket; else the data directory itself, taken for this process.
Result<std::unique_ptr<Session>> open_session(Loop& loop, const SessionOptions& options, Need need);

/// The workflowDefaults of the plane that open_session would find, null for none: what the process that runs it says,
/// else those of --config.
Result<doc::Shared> plane_defaults(Loop& loop, const SessionOptions& options);

/// The token that options or environment give; "" when they give none.
std::string given_token(const SessionOptions& options);

/// A variable of the environment, or "".
std::string environment(const char* name);
/// The namespace to work in: `flag`, else ARGO_NAMESPACE, else "default".
std::string choose_namespace(const std::string& flag);

/// Runs one call of the cluster to its answer: await<cluster::Object>(loop, [&](auto done) { cluster.get(key,
/// std::move(done)); }).
template <typename T, typename Call>
Result<T> await(Loop& loop, Call call) {
  const auto answer = std::make_shared<std::unique_ptr<Result<T>>>();
  call([answer](Result<T> result) { *answer = std::make_unique<Result<T>>(std::move(result)); });
  loop.run_until([&] { return *answer != nullptr; });
  return std::move(**answer);
}

}  // namespace tiphys::cli
