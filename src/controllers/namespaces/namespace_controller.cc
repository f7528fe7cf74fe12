#include "controllers/namespaces/namespace_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "cluster/custom_definition.h"
#include "controllers/workloads/conditions.h"
#include "controllers/workloads/fields.h"

namespace tiphys::controllers {

using workloads::Condition;
using workloads::name_of;

namespace {

constexpr std::string_view kFinalizer = "kubernetes";

std::string listed(const std::map<std::string, std::size_t>& numbers, std::string_view form) {
  std::string text;
  for (const auto& [name, number] : numbers) {
    if (!text.empty()) text += ", ";
    text += fmt::format(fmt::runtime(form), name, number);
  }
  return text;
}

void set_conditions(doc::Object& status, const NamespaceContents::Remains& remains, Time now) {
  const std::string content = listed(remains.resources, "{} has {} resource instances");
  const std::string finalizers = listed(remains.finalizers, "{} in {} resource instances");
  std::string errors;
  for (const std::string& one : remains.errors) errors += (errors.empty() ? "" : ", ") + one;
  const std::array conditions{
      Condition{"NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
                "All resources successfully discovered"},
      Condition{"NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
                "All legacy kube types successfully parsed"},
      Condition{"NamespaceDeletionContentFailure", false, "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"},
      Condition{"NamespaceContentRemaining", false, "ContentRemoved", "All content successfully removed"},
      Condition{"NamespaceFinalizersRemaining", false, "ContentHasNoFinalizers",
                "All content-preserving finalizers finished"}};
  const std::string failure =
      fmt::format("Failed to delete all resource types, {} remaining: {}", remains.errors.size(), errors);
  const std::string content_text = "Some resources are remaining: " + content;
  const std::string finalizers_text = "Some content in the namespace has finalizers remaining: " + finalizers;
  for (Condition condition : conditions) {
    if (condition.type == "NamespaceDeletionContentFailure" && !errors.empty()) {
      condition = {condition.type, true, "ContentDeletionFailed", failure};
    }
    if (condition.type == "NamespaceContentRemaining" && !content.empty()) {
      condition = {condition.type, true, "SomeResourcesRemain", content_text};
    }
    if (condition.type == "NamespaceFinalizersRemaining" && !finalizers.empty()) {
      condition = {condition.type, true, "SomeFinalizersRemain", finalizers_text};
    }
    workloads::set_condition(status, condition, workloads::ConditionStamp::kPlain, now);
  }
}

void drop_finalizer(doc::Value& ns) {
  doc::Array kept;
  for (const doc::Value& one : workloads::list_at(ns, "spec", "finalizers")) {
    if (one != doc::Value(kFinalizer)) kept.push_back(one);
  }
  doc::ensure_object(ns.get_object(), "spec")["finalizers"] = std::move(kept);
}

}  // namespace

void NamespaceController::start(std::vector<std::string> kept) {
  kept_ = std::move(kept);
  queue_ = std::make_shared<workloads::WorkQueue>(
      view_->executor(), "Namespace",
      [this](const workloads::Name& name, Finish finish) { look(name, std::move(finish)); });
  const auto weak = weak_from_this();
  view_->of(cluster::kNamespaces).listen([weak](const auto& before, const auto& after) {
    if (const auto self = weak.lock()) self->on_namespace(before, after);
  });
  for (const auto* resource : {&cluster::kNamespaces, &cluster::kCustomResourceDefinitions}) {
    view_->of(*resource).when_synced([weak] {
      if (const auto self = weak.lock()) self->look_at_all();
    });
  }
  view_->start();
}

void NamespaceController::look_at_all() {
  if (!view_->synced()) return;
  for (const auto& ns : view_->of(cluster::kNamespaces).in_namespace("")) on_namespace(nullptr, ns);
  for (const std::string& name : kept_) keep(name);
}

void NamespaceController::on_namespace(const cluster::Object& before, const cluster::Object& after) {
  const std::string name = name_of(after ? *after : *before);
  if (after) {
    if (workloads::is_deleting(*after)) queue_->add({"", name});
    return;
  }
  contents_.erase(name);
  if (view_->synced() && std::ranges::find(kept_, name) != kept_.end()) keep(name);
}

void NamespaceController::keep(const std::string& name) {
  if (view_->of(cluster::kNamespaces).find("", name)) return;
  const doc::Object labels{{"kubernetes.io/metadata.name", name}};
  doc::Object made{{"metadata", doc::Object{{"name", name}, {"labels", labels}}},
                   {"spec", doc::Object{{"finalizers", doc::Array{kFinalizer}}}},
                   {"status", doc::Object{{"phase", "Active"}}}};
  view_->create(cluster::kNamespaces, std::move(made), [name](const Result<cluster::Object>& created) {
    if (!created && created.error().code != Code::kAlreadyExists) {
      log::warn("the namespace {} cannot be made: {}", name, created.error().message);
    }
  });
}

std::vector<const cluster::Resource*> NamespaceController::namespaced() const {
  std::vector<const cluster::Resource*> found;
  for (const cluster::Resource* resource : cluster::resources()) {
    if (resource->namespaced) found.push_back(resource);
  }
  for (const auto& definition : view_->of(cluster::kCustomResourceDefinitions).in_namespace("")) {
    const auto names = cluster::names_of(*definition);
    if (!names || !names->namespaced) continue;
    // Argo's own definitions may be applied to a plane that has these kinds anyway.
    const cluster::Resource* resource = cluster::find_resource_by_plural(names->group, names->plural);
    if (!resource) resource = &cluster::custom_resource(*names);
    if (std::ranges::find(found, resource) == found.end()) found.push_back(resource);
  }
  return found;
}

void NamespaceController::look(const workloads::Name& name, Finish finish) {
  const auto ns = view_->synced() ? view_->of(cluster::kNamespaces).find("", name.second) : nullptr;
  if (!ns || !workloads::is_deleting(*ns)) return finish({});
  const auto& finalizers = workloads::list_at(*ns, "spec", "finalizers");
  if (std::ranges::find(finalizers, doc::Value(kFinalizer)) == finalizers.end()) return finish({});
  auto& contents = contents_[name.second];
  if (!contents) {
    contents =
        std::make_shared<NamespaceContents>(view_->cluster(), name.second, [queue = std::weak_ptr(queue_), name] {
          if (const auto alive = queue.lock()) alive->add(name);
        });
  }
  contents->sweep(namespaced(), [weak = weak_from_this(), ns, finish](NamespaceContents::Remains remains) {
    if (const auto self = weak.lock()) self->write(ns, std::move(remains), finish);
  });
}

void NamespaceController::write(const cluster::Object& ns, NamespaceContents::Remains remains, Finish finish) {
  doc::Value written = *ns;
  // What was removed now is mostly gone: the next look tells what is not.
  if (remains.removed_any && remains.errors.empty()) {
    queue_->add({"", name_of(*ns)});
    return finish({});
  }
  set_conditions(doc::ensure_object(written.get_object(), "status"), remains, view_->executor().now());
  if (remains.resources.empty() && remains.errors.empty()) drop_finalizer(written);
  const Status outcome = remains.errors.empty()
                             ? Status()
                             : fail(Code::kUnavailable, "what is in it cannot be deleted: " + remains.errors.front());
  workloads::Answers answers([finish, outcome](Status done) { finish(done ? outcome : std::move(done)); });
  if (written != *ns) view_->update(cluster::kNamespaces, std::move(written), answers.one_unless_gone());
  answers.close();
}

}  // namespace tiphys::controllers
