#include "simulation/artifact_ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "controllers/artifact_gc.h"
#include "controllers/names.h"
#include "simulation/random_workflow.h"

namespace tiphys::simulation {
namespace {

bool completed(const doc::Value& workflow) {
  return doc::find_string(workflow, "metadata", "labels", controllers::kCompletedLabel) == "true";
}

bool deleting(const doc::Value& workflow) {
  return !doc::find_string(workflow, "metadata", "deletionTimestamp").empty();
}

bool fated(std::string_view key, std::string_view fate) {
  return key.substr(key.rfind('/') + 1).starts_with(fate);
}

}  // namespace

void ArtifactLedger::committed(const doc::Value& workflow) {
  on_disk_[std::string(doc::find_string(workflow, "metadata", "name"))] = workflow;
}

void ArtifactLedger::removing(std::string_view key, bool refused) {
  refused_.erase(std::string(key));
  if (refused) refused_.emplace(key);
  const auto workflow = on_disk_.find(std::string(key.substr(0, key.find('/'))));
  const bool there = workflow != on_disk_.end();
  const bool over = there && completed(workflow->second);
  const bool due = fated(key, kEnds) ? over : fated(key, kGoes) && over && deleting(workflow->second);
  if (!due) complaints_.push_back(fmt::format("artifact {} is deleted before its time", key));
}

std::vector<ArtifactLedger::Artifact> ArtifactLedger::artifacts_of(const doc::Value& workflow) {
  std::vector<Artifact> found;
  const doc::Value* nodes = doc::find(workflow, "status", "nodes");
  if (!nodes || !nodes->is_object()) return found;
  for (const auto& [id, node] : nodes->as_object()) {
    const doc::Value* artifacts = doc::find(node, "outputs", "artifacts");
    if (doc::find_string(node, "type") != "Pod" || !artifacts) continue;
    for (const doc::Value& each : artifacts->as_array()) {
      found.push_back({std::string(doc::find_string(each, "s3", "key")), doc::find(each, "deleted") != nullptr});
    }
  }
  return found;
}

void ArtifactLedger::at_rest(const doc::Value& workflow, bool collects, bool forced) {
  const std::string name(doc::find_string(workflow, "metadata", "name"));
  Rest& rest = rests_[name] = {artifacts_of(workflow), forced, false};
  bool tried = false;
  for (const Artifact& each : rest.artifacts) {
    const bool ends = fated(each.key, kEnds), refused = refused_.contains(each.key);
    tried = tried || ends;
    if (each.deleted == artifacts_.has(each.key)) {
      complaints_.push_back(fmt::format("artifact {} {}, by its node it {} deleted", each.key,
                                        each.deleted ? "is there" : "is not there", each.deleted ? "was" : "was not"));
    }
    if (each.deleted != (ends && !refused)) {
      complaints_.push_back(fmt::format("artifact {} was {}deleted at the end", each.key, each.deleted ? "" : "not "));
    }
    rest.finalized = rest.finalized || (!each.deleted && !fated(each.key, kStays));
  }
  if (forced && tried) rest.finalized = false;
  check_status(name, workflow, rest, collects);
}

void ArtifactLedger::check_status(const std::string& name, const doc::Value& workflow, const Rest& rest,
                                  bool collects) {
  if (controllers::has_gc_finalizer(workflow) != rest.finalized) {
    complaints_.push_back(fmt::format("workflow {} {} the finalizer", name, rest.finalized ? "lacks" : "keeps"));
  }
  const doc::Value* status = doc::find(workflow, "status", "artifactGCStatus");
  doc::Value expected = doc::Object{{"notSpecified", true}};
  if (collects) {
    expected = doc::Object{{"strategiesProcessed", doc::Object{{"OnWorkflowCompletion", true}}}};
    const bool any = std::ranges::any_of(rest.artifacts, [](const Artifact& each) { return fated(each.key, kEnds); });
    // Its accounts are all one, and so would be the original's pod.
    if (any) expected.as_object()["podsRecouped"] = doc::Object{{name + "-artgc-wfcomp-2166136261", true}};
  }
  if (!status || *status != expected) {
    complaints_.push_back(fmt::format("workflow {} says of its artifacts {} instead of {}", name,
                                      status ? doc::to_json(*status) : "nothing", doc::to_json(expected)));
  }
}

void ArtifactLedger::at_end(const std::string& workflow) {
  const auto found = rests_.find(workflow);
  if (found == rests_.end()) return;
  const Rest& rest = found->second;
  bool keeps = false, tried = false;
  for (const Artifact& each : rest.artifacts) {
    const bool goes = fated(each.key, kGoes) && rest.finalized;
    const bool stays = refused_.contains(each.key) || !(goes || fated(each.key, kEnds));
    if (artifacts_.has(each.key) != stays) {
      complaints_.push_back(fmt::format("artifact {} {} after its workflow", each.key, stays ? "is lost" : "is left"));
    }
    tried = tried || goes || fated(each.key, kEnds);
    keeps = keeps || (stays && !fated(each.key, kStays));
  }
  const bool kept = rest.finalized && keeps && !(rest.forced && tried);
  if (on_disk_.contains(workflow) != kept) {
    complaints_.push_back(fmt::format("workflow {} {}", workflow, kept ? "went before its artifacts" : "never goes"));
  }
}

}  // namespace tiphys::simulation
