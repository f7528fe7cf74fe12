#include "controllers/workflow_claims.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "controllers/names.h"
#include "controllers/owner_reference.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kOnCompletion = "OnWorkflowCompletion";

/// What waits for several answers.
struct Answers {
  std::size_t left = 0;
  Status first_error{};
  cluster::Done<void> done;

  void took(const Status& answer) {
    if (!answer && first_error) first_error = answer;
    if (--left == 0) done(first_error);
  }
};

std::shared_ptr<Answers> wait_for(std::size_t count, cluster::Done<void> done) {
  auto answers = std::make_shared<Answers>();
  answers->left = count;
  answers->done = std::move(done);
  return answers;
}

/// One that exists is the workflow's own, made before a crash, or another's.
void adopt(cluster::Cluster& cluster, const cluster::Key& key, const std::string& uid,
           const std::shared_ptr<Answers>& answers) {
  cluster.get(key, [name = key.name, uid, answers](const Result<cluster::Object>& existing) {
    if (!existing) return answers->took(std::unexpected(existing.error()));
    if (owned_by(**existing, uid)) return answers->took({});
    answers->took(
        fail(Code::kPermissionDenied, fmt::format("{} pvc already exists with different ownerreference", name)));
  });
}

cluster::Key key_of(const std::string& ns, const doc::Value& claim) {
  return {&cluster::kPersistentVolumeClaims, ns, std::string(doc::find_string(claim, "metadata", "name"))};
}

}  // namespace

WorkflowClaims WorkflowClaims::of(const doc::Value& spec, const std::string& workflow_name,
                                  const std::string& workflow_uid) {
  WorkflowClaims claims;
  claims.on_completion_ = doc::find_string(spec, "volumeClaimGC", "strategy") == kOnCompletion;
  const doc::Value* templates = doc::find(spec, "volumeClaimTemplates");
  if (!templates || !templates->is_array()) return claims;
  for (const doc::Value& written : templates->get_array()) {
    doc::Value claim = written;
    claim.as_object()["apiVersion"] = "v1";
    claim.get_object()["kind"] = "PersistentVolumeClaim";
    doc::Object& metadata = doc::ensure_object(claim.get_object(), "metadata");
    claims.names_.emplace_back(doc::find_string(written, "metadata", "name"));
    metadata["name"] = fmt::format("{}-{}", workflow_name, claims.names_.back());
    doc::ensure_object(metadata, "labels")[kWorkflowLabel] = workflow_name;
    metadata["ownerReferences"] = doc::Array{owner_reference(workflow_name, workflow_uid)};
    claims.documents_.push_back(std::move(claim));
  }
  return claims;
}

doc::Array WorkflowClaims::volumes() const {
  doc::Array volumes;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    volumes.push_back(doc::Object{
        {"name", names_[i]},
        {"persistentVolumeClaim", doc::Object{{"claimName", doc::find_string(documents_[i], "metadata", "name")}}}});
  }
  return volumes;
}

bool WorkflowClaims::given_back(engine::RunStatus::Phase phase) const {
  if (empty()) return false;
  return phase == engine::RunStatus::Phase::kSucceeded || on_completion_;
}

void make_claims(cluster::Cluster& cluster, const std::string& ns, const WorkflowClaims& claims,
                 const std::string& workflow_uid, cluster::Done<void> done) {
  const auto answers = wait_for(claims.documents().size(), std::move(done));
  for (const doc::Value& claim : claims.documents()) {
    doc::Value document = claim;
    doc::ensure_object(document.get_object(), "metadata")["namespace"] = ns;
    cluster.create(cluster::kPersistentVolumeClaims, std::move(document),
                   [&cluster, key = key_of(ns, claim), workflow_uid, answers](const Result<cluster::Object>& answer) {
                     if (answer) return answers->took({});
                     const bool exists = answer.error().code == Code::kAlreadyExists;
                     if (exists) return adopt(cluster, key, workflow_uid, answers);
                     answers->took(std::unexpected(answer.error()));
                   });
  }
}

void remove_claims(cluster::Cluster& cluster, const std::string& ns, const WorkflowClaims& claims,
                   cluster::Done<void> done) {
  const auto answers = wait_for(claims.documents().size(), std::move(done));
  for (const doc::Value& claim : claims.documents()) {
    cluster.remove(key_of(ns, claim), {}, [answers](const Result<cluster::Object>& answer) {
      const bool gone = answer || answer.error().code == Code::kNotFound;
      answers->took(gone ? Status() : std::unexpected(answer.error()));
    });
  }
}

}  // namespace tiphys::controllers
