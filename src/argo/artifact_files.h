// Artifacts of workflows as files that clients read and bring. A caller gets those of workflows that it may get, from
// stores whose Secrets it may get. Original: server/artifacts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "artifact/stores.h"
#include "base/executor.h"
#include "base/random.h"
#include "base/unique_fd.h"
#include "objects/object_api.h"

namespace tiphys::argo {

/// What artifacts are looked for in; outlives all that is asked.
struct ArtifactPlane {
  Executor& executor;
  objects::ObjectApi& api;
  store::Archive& archive;
  const artifact::Stores& stores;
  Random& random;
  std::string folder;        ///< for files on their way; what is in it is of no use to anybody else
  doc::Shared repository{};  ///< where uploads go when nothing else is said; null: the plane's own
};

struct ArtifactName {
  std::string ns{}, workflow{};
  std::string uid{};   ///< of a workflow in the archive, in place of its name; ns may be ""
  std::string node{};  ///< its id
  bool input = false;  ///< of the node, not an output
  std::string artifact{};
  std::string file{};  ///< where the artifact is a folder: a file or folder in it, "a/b"
};

struct FoundArtifact {
  std::string name;                ///< the last part of its key
  UniqueFd file;                   ///< open for reading; none: it is a folder
  std::vector<std::string> files;  ///< of a folder: their paths in it, sorted
};

/// An input that a WorkflowTemplate's arguments name.
struct UploadedArtifact {
  std::string ns, workflow_template, artifact;
  std::string file_name;
  std::string content;
};

class ArtifactFiles {
 public:
  explicit ArtifactFiles(ArtifactPlane plane);
  ~ArtifactFiles();

  /// kNotFound: there is no such workflow, node, artifact or file.
  void find(std::shared_ptr<const objects::Caller> caller, ArtifactName name, cluster::Done<FoundArtifact> done);
  /// Keeps it under a key of its own, "uploads/NAMESPACE/UUID/FILE", which is the answer: a submission may name it. The
  /// caller may get the template and make workflows.
  void upload(std::shared_ptr<const objects::Caller> caller, UploadedArtifact uploaded,
              cluster::Done<std::string> done);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::argo
