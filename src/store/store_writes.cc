// What Kubernetes' API server does with a write: checks against the newest state, then one change of one object.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "cluster/job_selector.h"
#include "cluster/patch.h"
#include "cluster/pod_phase.h"
#include "store/local_store.h"
#include "store/metadata.h"

namespace tiphys::store {
namespace {

constexpr int kMostNameTries = 8;
constexpr std::int64_t kDefaultGraceSeconds = 30;

/// Merges `changes` into the map at `parent`.`member`; null removes a key.
void merge_map(doc::Value& object, std::string_view parent, std::string_view member, const doc::Object& changes) {
  if (changes.empty()) return;
  doc::Object& outer = doc::ensure_object(object.as_object(), parent);
  doc::Object& map = member.empty() ? outer : doc::ensure_object(outer, member);
  for (const auto& [key, value] : changes) {
    if (value.is_null()) {
      map.erase(key);
    } else {
      map[key] = value;
    }
  }
}

/// Takes status.nodes out of a new workflow, as texts.
std::vector<cluster::WorkflowStatusUpdate::Node> take_nodes(doc::Value& workflow) {
  std::vector<cluster::WorkflowStatusUpdate::Node> nodes;
  doc::Value* status = workflow.as_object().if_contains("status");
  doc::Object* members = status ? status->if_object() : nullptr;
  const doc::Value* found = members ? members->if_contains("nodes") : nullptr;
  if (!found) return nodes;
  if (const doc::Object* map = found->if_object()) {
    for (const auto& [id, node] : *map) nodes.push_back({std::string(id), doc::to_json(node)});
  }
  members->erase("nodes");
  return nodes;
}

std::int64_t grace_of(const doc::Value& pod, int asked) {
  if (asked >= 0) return asked;
  const doc::Value* given = doc::find(pod, "spec", "terminationGracePeriodSeconds");
  return given && given->is_int64() && given->as_int64() >= 0 ? given->as_int64() : kDefaultGraceSeconds;
}

std::int64_t remaining_grace(const doc::Value& pod) {
  const doc::Value* given = doc::find(pod, "metadata", "deletionGracePeriodSeconds");
  return given && given->is_int64() ? given->as_int64() : 0;
}

/// As Kubernetes' admission of namespaces has it.
bool is_immortal(std::string_view ns) {
  return ns == "default" || ns == "kube-system" || ns == "kube-public";
}

bool same_object(const Revision& a, const Revision& b) {
  return a.parts() == b.parts() && *a.base() == *b.base();
}

/// Of a custom object everything is its spec but for what the server and controllers say of it.
bool same_custom_part(const doc::Object& a, const doc::Object& b) {
  const auto told = [](std::string_view member) { return member == "metadata" || member == "status"; };
  const auto has_all_of = [&](const doc::Object& left, const doc::Object& right) {
    return std::ranges::all_of(right, [&](const auto& member) {
      const doc::Value* other = told(member.key()) ? &member.value() : left.if_contains(member.key());
      return other && *other == member.value();
    });
  };
  return has_all_of(a, b) && has_all_of(b, a);
}

bool same_spec(const cluster::Resource& resource, const Revision& a, const Revision& b) {
  if (&resource == &cluster::kWorkflows) return a.parts()[0] == b.parts()[0];
  const doc::Shared before = a.base(), after = b.base();
  if (is_custom(resource)) return same_custom_part(before->get_object(), after->get_object());
  const doc::Value* left = doc::find(*before, "spec");
  const doc::Value* right = doc::find(*after, "spec");
  return left && right ? *left == *right : left == right;
}

}  // namespace

Result<RevisionPtr> LocalStore::current(const cluster::Resource& resource, const Name& name) {
  TIPHYS_CHECK_OK(load(resource));
  if (const Entry* entry = memory_.find(resource, name)) return entry->current;
  if (all_in_memory(resource)) return nullptr;
  return disk_.find(resource, name);
}

Result<RevisionPtr> LocalStore::current_or_error(const cluster::Resource& resource, const Name& name) {
  TIPHYS_TRY(RevisionPtr found, current(resource, name));
  if (!found) return std::unexpected(not_found(resource, name.name));
  return found;
}

Result<cluster::Object> LocalStore::newest(const cluster::Key& key) {
  TIPHYS_TRY(const RevisionPtr found, current(*key.resource, {key.ns, key.name}));
  return found ? found->object() : nullptr;
}

/// Also the plane's own controllers add nothing to a namespace that is being deleted, or it would never be empty. That
/// there is such a namespace only clients are asked for.
Status LocalStore::check_namespace(const cluster::Resource& resource, const doc::Value& object) {
  if (!resource.namespaced) return {};
  const Name name{"", std::string(doc::find_string(object, "metadata", "namespace"))};
  TIPHYS_TRY(const RevisionPtr ns, current(cluster::kNamespaces, name));
  if (ns && is_terminating(*ns->base())) return std::unexpected(terminating_namespace(resource, object));
  return {};
}

Result<std::vector<Change>> LocalStore::charge(const Change& change) {
  std::vector<Change> along;
  if (!admission_ || !change.after || change.before == change.after) return along;
  if (!admission_->charges(*change.resource, change.name.ns)) return along;
  const cluster::Object before = change.before ? change.before->object() : nullptr;
  TIPHYS_TRY(auto also, admission_->charge(*change.resource, before.get(), *change.after->object()));
  for (Admission::Also& one : also) {
    const Name name{one.key.ns, one.key.name};
    TIPHYS_TRY(RevisionPtr present, current_or_error(*one.key.resource, name));
    TIPHYS_TRY(Change made, make_update(*one.key.resource, name, std::move(present), std::move(one.object)));
    if (made.before != made.after) along.push_back(std::move(made));
  }
  return along;
}

void LocalStore::commit(Result<Change> change, bool dry_run, cluster::Done<cluster::Object> done) {
  std::vector<Change> along;
  if (change) {
    auto charged = charge(*change);
    if (charged) {
      along = std::move(*charged);
    } else {
      change = std::unexpected(std::move(charged.error()));
    }
  }
  if (!change) {
    return poster_.post([error = std::move(change.error()), done = std::move(done)]() mutable {
      done(std::unexpected(std::move(error)));
    });
  }
  const RevisionPtr result = change->last ? change->last : change->after;
  if (dry_run || change->before == result) {
    return after(ticket_of(*change->resource, change->name),
                 [result, done = std::move(done)]() mutable { done(result->object()); });
  }
  Write write;
  write.changes.push_back(std::move(*change));
  std::ranges::move(along, std::back_inserter(write.changes));
  write.answer = [result, done = std::move(done)](const Status& outcome, const auto&) mutable {
    if (outcome) {
      done(result->object());
    } else {
      done(std::unexpected(outcome.error()));
    }
  };
  enqueue(std::move(write));
}

void LocalStore::create(const cluster::Resource& resource, doc::Value object, WriteOptions options,
                        cluster::Done<cluster::Object> done) {
  auto change = make_create(resource, std::move(object));
  if (!change || options.dry_run) return commit(std::move(change), options.dry_run, std::move(done));
  const Name name = change->name;
  const RevisionPtr made = change->after;
  commit(std::move(change), false, std::move(done));
  if (!made->owner().empty()) collect_orphan(resource, name, made);
}

Result<Name> LocalStore::free_name(const cluster::Resource& resource, const doc::Value& object) {
  Name name{std::string(doc::find_string(object, "metadata", "namespace")),
            std::string(doc::find_string(object, "metadata", "name"))};
  const auto prefix = doc::find_string(object, "metadata", "generateName");
  const bool generated = name.name.empty();
  for (int tries = 0;; ++tries) {
    if (generated) name.name = generated_name(prefix, random_);
    TIPHYS_CHECK_OK(check_name(resource, name.name));
    TIPHYS_TRY(const RevisionPtr taken, current(resource, name));
    if (!taken) return name;
    if (!generated || tries == kMostNameTries) return std::unexpected(already_exists(resource, name.name));
  }
}

Result<Change> LocalStore::make_create(const cluster::Resource& resource, doc::Value object) {
  TIPHYS_CHECK_OK(admit());
  TIPHYS_CHECK_OK(check_new(resource, object));
  TIPHYS_CHECK_OK(check_namespace(resource, object));
  if (admission_) TIPHYS_CHECK_OK(admission_->admit(resource, object));
  TIPHYS_TRY(Name name, free_name(resource, object));
  Change change{.resource = &resource, .name = std::move(name), .at = executor_.now()};
  if (&resource == &cluster::kWorkflows) change.nodes = take_nodes(object);
  change.version = next_version();
  complete_new(resource, object, change.name, make_uid(random_), change.at, change.version);
  if (&resource == &cluster::kJobs) cluster::complete_job_selector(object.as_object());
  change.after = Revision::make(resource, std::move(object));
  return change;
}

void LocalStore::update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) {
  const Name name{key.ns, key.name};
  commit(
      [&]() -> Result<Change> {
        TIPHYS_CHECK_OK(admit());
        TIPHYS_TRY(RevisionPtr before, current_or_error(*key.resource, name));
        return make_update(*key.resource, name, std::move(before), std::move(object));
      }(),
      false, std::move(done));
}

void LocalStore::modify(const cluster::Key& key, Make make, WriteOptions options, cluster::Done<cluster::Object> done) {
  const Name name{key.ns, key.name};
  auto before = admit() ? current(*key.resource, name) : std::unexpected(admit().error());
  if (!before) return commit(std::unexpected(before.error()), false, std::move(done));
  auto object = make(*before ? (*before)->object() : nullptr);
  if (!object) return commit(std::unexpected(object.error()), false, std::move(done));
  if (!*before) return create(*key.resource, std::move(*object), options, std::move(done));
  commit(make_update(*key.resource, name, std::move(*before), std::move(*object)), options.dry_run, std::move(done));
}

void LocalStore::patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
                       cluster::Done<cluster::Object> done) {
  const Name name{key.ns, key.name};
  commit(
      [&]() -> Result<Change> {
        TIPHYS_CHECK_OK(admit());
        TIPHYS_TRY(RevisionPtr before, current_or_error(*key.resource, name));
        doc::Value object = before->copy();
        TIPHYS_CHECK_OK(cluster::apply_patch(object, type, patch));
        return make_update(*key.resource, name, std::move(before), std::move(object));
      }(),
      false, std::move(done));
}

Result<Change> LocalStore::make_update(const cluster::Resource& resource, const Name& name, RevisionPtr before,
                                       doc::Value object) {
  TIPHYS_CHECK_OK(check_update(resource, name, *before, object));
  RevisionPtr after = Revision::make(resource, std::move(object), before.get());
  Change change{.resource = &resource, .name = name, .before = before, .at = executor_.now()};
  if (same_object(*before, *after)) {
    change.after = std::move(before);
    return change;
  }
  if (may_go(resource, *after->base())) {
    TIPHYS_TRY(Change gone, make_deletion(resource, name, std::move(before)));
    doc::Value last = *after->base();
    set_resource_version(last, gone.version);
    gone.last = std::make_shared<const Revision>(resource, std::move(last), after->parts());
    return gone;
  }
  change.version = next_version();
  doc::Value base = *after->base();
  if (!same_spec(resource, *before, *after) && counts_generations(resource, base)) raise_generation(base);
  set_resource_version(base, change.version);
  change.after = std::make_shared<const Revision>(resource, std::move(base), after->parts());
  return change;
}

void LocalStore::update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update,
                                        cluster::Done<void> done) {
  TIPHYS_CHECK(key.resource == &cluster::kWorkflows, "only workflows have nodes");
  auto change = make_status_update({key.ns, key.name}, std::move(update));
  if (!change) {
    return poster_.post([error = std::move(change.error()), done = std::move(done)]() mutable {
      done(std::unexpected(std::move(error)));
    });
  }
  Write write;
  write.changes.push_back(std::move(*change));
  write.answer = [done = std::move(done)](const Status& outcome, const auto&) mutable { done(outcome); };
  enqueue(std::move(write));
}

Result<Change> LocalStore::make_status_update(const Name& name, cluster::WorkflowStatusUpdate update) {
  TIPHYS_CHECK_OK(admit());
  TIPHYS_TRY(RevisionPtr before, current_or_error(cluster::kWorkflows, name));
  update.fields.erase("nodes");
  if (update.completed) update.labels[Revision::kCompletedLabel] = "true";
  Change change{.resource = &cluster::kWorkflows,
                .name = name,
                .before = before,
                .after = before,
                .version = next_version(),
                .by_status_update = true,
                .nodes = std::move(update.nodes),
                .at = executor_.now()};
  change.object_changed =
      !update.fields.empty() || update.spec || !update.labels.empty() || !update.annotations.empty();
  if (!change.object_changed) return change;

  doc::Value base = *before->base();
  merge_map(base, "status", "", update.fields);
  merge_map(base, "metadata", "labels", update.labels);
  merge_map(base, "metadata", "annotations", update.annotations);
  if (update.completed && archive_ && archive_->matches_labels(base)) {
    merge_map(base, "metadata", "labels",
              {{kArchivingStatusLabel, archived_elsewhere_ ? kPendingStatus : kArchivedStatus}});
  }
  if (update.spec) base.as_object()["spec"] = *update.spec;
  set_resource_version(base, change.version);
  change.after = Revision::successor(cluster::kWorkflows, std::move(base), *before);
  if (!update.fields.empty()) change.status_fields = std::move(update.fields);
  return change;
}

void LocalStore::remove(const cluster::Key& key, cluster::DeleteOptions options, cluster::Done<cluster::Object> done) {
  const bool dry_run = options.dry_run;
  commit(
      [&]() -> Result<Change> {
        TIPHYS_CHECK_OK(admit());
        return make_remove(*key.resource, {key.ns, key.name}, options);
      }(),
      dry_run, std::move(done));
}

namespace {

/// A deletion that asks for another state.
Error unmet(const cluster::Resource& resource, std::string_view name, std::string_view why) {
  return {Code::kAborted, fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", resource.kind, name, why)};
}

}  // namespace

Result<Change> LocalStore::make_remove(const cluster::Resource& resource, const Name& name,
                                       const cluster::DeleteOptions& options) {
  TIPHYS_TRY(RevisionPtr before, current_or_error(resource, name));
  if (!options.uid.empty() && options.uid != before->uid()) {
    return std::unexpected(
        unmet(resource, name.name,
              fmt::format("the UID in the precondition ({}) does not match the UID in record ({}). The "
                          "object might have been deleted and then recreated",
                          options.uid, before->uid())));
  }
  if (!options.resource_version.empty() && !is_version_of(resource, *before, options.resource_version)) {
    return std::unexpected(
        unmet(resource, name.name,
              fmt::format(
                  "the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record ({}). The "
                  "object might have been modified",
                  options.resource_version, before->resource_version())));
  }
  if (&resource == &cluster::kNamespaces && is_immortal(name.name)) {
    return fail(Code::kPermissionDenied,
                fmt::format("namespaces \"{}\" is forbidden: this namespace may not be deleted", name.name));
  }
  // Nobody ends a pod that was never begun.
  const doc::Shared base = before->base();
  const bool running_pod = &resource == &cluster::kPods && !cluster::pod_ended(*base) && !cluster::pod_gated(*base);
  const std::int64_t grace = running_pod ? grace_of(*base, options.grace_seconds) : 0;
  if (grace == 0 && !has_finalizers(resource, *base)) return make_deletion(resource, name, std::move(before));
  if (is_terminating(*base) && remaining_grace(*base) <= grace) {
    return Change{.resource = &resource, .name = name, .before = before, .after = before};
  }
  return make_termination(resource, name, std::move(before), grace);
}

Result<Change> LocalStore::make_deletion(const cluster::Resource& resource, const Name& name, RevisionPtr before) {
  Change change{.resource = &resource, .name = name, .version = next_version(), .at = executor_.now()};
  change.leaves_garbage =
      owns_anything(*before) || &resource == &cluster::kWorkflows || &resource == &cluster::kNamespaces;
  doc::Value base = *before->base();
  set_resource_version(base, change.version);
  change.last = std::make_shared<const Revision>(resource, std::move(base), before->parts());
  change.before = std::move(before);
  return change;
}

Change LocalStore::make_termination(const cluster::Resource& resource, const Name& name, RevisionPtr before,
                                    std::int64_t grace_seconds) {
  Change change{.resource = &resource, .name = name, .version = next_version(), .at = executor_.now()};
  doc::Value base = *before->base();
  doc::Object& metadata = doc::ensure_object(base.as_object(), "metadata");
  metadata["deletionTimestamp"] = format_rfc3339(change.at + std::chrono::seconds(grace_seconds));
  metadata["deletionGracePeriodSeconds"] = grace_seconds;
  if (&resource == &cluster::kNamespaces) {
    metadata.erase("deletionGracePeriodSeconds");
    doc::ensure_object(base.as_object(), "status")["phase"] = "Terminating";
  }
  set_resource_version(base, change.version);
  change.after = std::make_shared<const Revision>(resource, std::move(base), before->parts());
  change.leaves_garbage = propagates(resource, *change.after);
  change.before = std::move(before);
  return change;
}

}  // namespace tiphys::store
