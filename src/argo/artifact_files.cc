#include "argo/artifact_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "api/artifact_location.h"
#include "api/begun_workflow.h"
#include "api/node_status.h"
#include "argo/archive.h"
#include "argo/uploads.h"
#include "artifact/file_tree.h"
#include "artifact/received_file.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/workers.h"
#include "controllers/artifact_repository.h"
#include "objects/caller_cluster.h"

namespace tiphys::argo {
namespace {

constexpr int kWorkerThreads = 4;

using CallerPtr = std::shared_ptr<const objects::Caller>;

/// Where the artifact, or the file in it, lies.
Result<doc::Value> find_location(const doc::Value& workflow, const ArtifactName& name) {
  const doc::Value* node = doc::find(workflow, "status", "nodes", name.node);
  if (!node) return fail(Code::kNotFound, fmt::format("the workflow has no node \"{}\"", name.node));
  const char* side = name.input ? "inputs" : "outputs";
  const doc::Value* artifact = find_artifact(doc::find(*node, side, "artifacts"), name.artifact);
  if (!artifact) {
    return fail(Code::kNotFound,
                fmt::format("{} of node \"{}\" have no artifact \"{}\"", side, name.node, name.artifact));
  }
  std::vector<api::Finding> passed_over;
  TIPHYS_TRY(const api::Workflow parsed, api::parse_begun_workflow(workflow, passed_over));
  TIPHYS_TRY(const api::NodeStatus status, api::parse_node_status(*node));
  doc::Value location = controllers::artifact_location(parsed, status, *artifact);
  const std::string kind(location.is_object() ? api::location_kind(location.get_object()) : "");
  if (kind.empty()) return fail(Code::kNotFound, fmt::format("artifact \"{}\" names no place", name.artifact));
  if (name.file.empty()) return location;
  doc::Value& place = location.get_object()[kind];
  const std::string key = api::join_key(api::location_key(kind, place), name.file);
  if (!api::set_location_key(kind, place, key)) {
    return fail(Code::kNotFound,
                fmt::format("artifact \"{}\" is no folder: {} has no files below a place", name.artifact, kind));
  }
  return location;
}

std::string last_part(const doc::Value& location, std::string_view otherwise) {
  const std::string kind(api::location_kind(location.get_object()));
  const std::string key = api::location_key(kind, location.at(kind));
  const auto parts = split(key, '/');
  const auto last =
      std::ranges::find_if(parts.rbegin(), parts.rend(), [](std::string_view part) { return !part.empty(); });
  return std::string(last == parts.rend() ? otherwise : *last);
}

/// The files below a place, as paths from there; none where it is a file, or stores of its kind cannot tell.
Result<std::vector<std::string>> files_below(artifact::Place& place, const doc::Value& location) {
  auto keys = place.list();
  if (!keys && keys.error().code == Code::kUnimplemented) return std::vector<std::string>();
  if (!keys) return keys;
  const std::string kind(api::location_kind(location.get_object()));
  const std::string folder = api::join_key(api::location_key(kind, location.at(kind)), "") + "/";
  for (std::string& key : *keys) {
    if (key.starts_with(folder)) key.erase(0, folder.size());
  }
  return keys;
}

/// A place to go to, and where a file may lie meanwhile.
struct Visit {
  const artifact::Stores& stores;
  artifact::Credentials credentials;
  doc::Value location;
  std::string path;
};

/// Blocking.
Result<FoundArtifact> load(const Visit& visit, const ArtifactName& name) {
  const auto& [stores, credentials, location, path] = visit;
  TIPHYS_TRY(const auto place, stores.open(location, credentials));
  FoundArtifact found{.name = last_part(location, name.artifact), .file = {}, .files = {}};
  TIPHYS_TRY(found.files, files_below(*place, location));
  if (!found.files.empty()) return found;
  const Status loaded = place->load(path);
  found.file.reset(loaded ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1);
  const int error = errno;
  // Who reads it has it open; nothing is left behind.
  if (const Status removed = artifact::remove_tree(path); !removed) log::warn("{}", removed.error().message);
  if (!loaded) return std::unexpected(loaded.error());
  if (!found.file) return fail_errno(path, error);
  struct stat stat{};
  if (::fstat(found.file.get(), &stat) != 0) return fail_errno(path, errno);
  if (!S_ISREG(stat.st_mode)) found.file.reset();
  return found;
}

/// Gives the key. Blocking.
Result<std::string> save(const Visit& visit, const std::string& content, const std::string& key) {
  TIPHYS_TRY(const auto place, visit.stores.open(visit.location, visit.credentials));
  artifact::ReceivedFile file(visit.path);
  file.sink()(content);
  TIPHYS_CHECK_OK(file.status());
  TIPHYS_CHECK_OK(place->save(visit.path));
  return key;
}

}  // namespace

class ArtifactFiles::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(ArtifactPlane plane) : plane_(std::move(plane)), workers_(plane_.executor, kWorkerThreads) {
    if (const Status removed = artifact::remove_tree(plane_.folder); !removed) log::warn("{}", removed.error().message);
  }

  void find(const CallerPtr& caller, ArtifactName name, cluster::Done<FoundArtifact> done) {
    const auto cluster = std::make_shared<objects::CallerCluster>(plane_.api, caller);
    auto next = [self = shared_from_this(), cluster, name,
                 done = std::move(done)](Result<cluster::Object> workflow) mutable {
      if (!workflow) return done(std::unexpected(std::move(workflow.error())));
      const std::string_view ns = doc::find_string(**workflow, "metadata", "namespace");
      if (!name.ns.empty() && name.ns != ns) {
        return done(fail(Code::kNotFound, fmt::format("namespace \"{}\" has no such workflow", name.ns)));
      }
      self->load_from(cluster, **workflow, std::move(name), std::move(done));
    };
    if (name.uid.empty()) return cluster->get({&cluster::kWorkflows, name.ns, name.workflow}, std::move(next));
    get_archived(plane_.api, plane_.archive, caller, {.uid = name.uid}, std::move(next));
  }

  void upload(const CallerPtr& caller, UploadedArtifact uploaded, cluster::Done<std::string> done) {
    if (Status allowed = may(&plane_.api, caller.get(), "create", uploaded.ns); !allowed) {
      return done(std::unexpected(std::move(allowed.error())));
    }
    const auto cluster = std::make_shared<objects::CallerCluster>(plane_.api, caller);
    const auto held = std::make_shared<const UploadedArtifact>(std::move(uploaded));
    cluster->get(
        {&cluster::kWorkflowTemplates, held->ns, held->workflow_template},
        [self = shared_from_this(), cluster, held, done = std::move(done)](Result<cluster::Object> found) mutable {
          if (!found) return done(std::unexpected(std::move(found.error())));
          self->keep(cluster, **found, held, std::move(done));
        });
  }

 private:
  using ClusterPtr = std::shared_ptr<objects::CallerCluster>;
  using UploadPtr = std::shared_ptr<const UploadedArtifact>;

  void load_from(const ClusterPtr& cluster, const doc::Value& workflow, ArtifactName name,
                 cluster::Done<FoundArtifact> done) {
    auto location = find_location(workflow, name);
    if (!location) return done(std::unexpected(std::move(location.error())));
    const std::string ns(doc::find_string(workflow, "metadata", "namespace"));
    at_place<FoundArtifact>(
        cluster, ns, std::move(*location), [name = std::move(name)](const Visit& visit) { return load(visit, name); },
        std::move(done));
  }

  void keep(const ClusterPtr& cluster, const doc::Value& from, const UploadPtr& uploaded,
            cluster::Done<std::string> done) {
    auto key = upload_key(uploaded->ns, make_uid(plane_.random), uploaded->file_name);
    if (!key) return done(std::move(key));
    // Where they go is the plane's to know; the caller needs no right to read ConfigMaps.
    find_upload_place(plane_.api.store(), uploaded->ns, from.at("spec"), uploaded->artifact, plane_.repository,
                      [self = shared_from_this(), cluster, key = *key, uploaded,
                       done = std::move(done)](Result<doc::Value> place) mutable {
                        if (!place) return done(std::unexpected(std::move(place.error())));
                        Status set = set_upload_key(*place, key);
                        if (!set) return done(std::unexpected(std::move(set.error())));
                        self->at_place<std::string>(
                            cluster, uploaded->ns, std::move(*place),
                            [uploaded, key](const Visit& visit) { return save(visit, uploaded->content, key); },
                            std::move(done));
                      });
  }

  /// Has a worker do `job` there.
  template <typename T, typename Job>
  void at_place(const ClusterPtr& cluster, const std::string& ns, doc::Value location, Job job, cluster::Done<T> done) {
    const std::array locations{std::move(location)};
    artifact::Credentials::fetch(
        *cluster, ns, locations,
        [self = shared_from_this(), cluster, location = locations.front(), job = std::move(job),
         done = std::move(done)](Result<artifact::Credentials> credentials) mutable {
          if (!credentials) return done(std::unexpected(std::move(credentials.error())));
          auto path = self->fresh_path();
          if (!path) return done(std::unexpected(std::move(path.error())));
          self->workers_.run(
              [visit = Visit{self->plane_.stores, std::move(*credentials), std::move(location), std::move(*path)},
               job = std::move(job)] { return job(visit); },
              std::move(done));
        });
  }

  Result<std::string> fresh_path() {
    if (::mkdir(plane_.folder.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(plane_.folder, errno);
    return plane_.folder + "/" + make_uid(plane_.random);
  }

  const ArtifactPlane plane_;
  Workers workers_;
};

ArtifactFiles::ArtifactFiles(ArtifactPlane plane) : state_(std::make_shared<State>(std::move(plane))) {}

ArtifactFiles::~ArtifactFiles() = default;

void ArtifactFiles::find(CallerPtr caller, ArtifactName name, cluster::Done<FoundArtifact> done) {
  state_->find(caller, std::move(name), std::move(done));
}

void ArtifactFiles::upload(CallerPtr caller, UploadedArtifact uploaded, cluster::Done<std::string> done) {
  state_->upload(caller, std::move(uploaded), std::move(done));
}

}  // namespace tiphys::argo
