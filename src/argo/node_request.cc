#include "argo/node_request.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "argo/change.h"
#include "argo/states.h"
#include "base/random.h"
#include "controllers/names.h"
#include "controllers/workflow_status.h"
#include "doc/patch.h"
#include "doc/yaml.h"

namespace tiphys::argo {
namespace {

/// Somebody else changes the workflow at the same time: read it again and try anew.
constexpr int kMostTries = 10;

Result<doc::Value> entry_of(const NodeRequest& request) {
  SystemRandom random;
  doc::Array fields;
  for (const auto& requirement : request.selector.requirements()) {
    if (requirement.op != cluster::Requirement::Op::kEquals) {
      return fail(Code::kInvalidArgument, "nodeFieldSelector: only = is understood here");
    }
    fields.push_back(doc::Array{doc::Value(requirement.key), doc::Value(requirement.values.front())});
  }
  doc::Object entry{{"id", make_uid(random)}, {"fields", std::move(fields)}};
  if (!request.phase.empty()) entry["phase"] = request.phase;
  if (!request.message.empty()) entry["message"] = request.message;
  if (!request.output_parameters.empty()) entry["outputParameters"] = request.output_parameters;
  return doc::Value(std::move(entry));
}

std::string_view version_of(const doc::Value& object) {
  return doc::find_string(object, "metadata", "resourceVersion");
}

/// The annotation with one more.
std::string with_entry(const doc::Value& workflow, const doc::Value& entry) {
  doc::Array requests;
  const std::string_view waiting =
      doc::find_string(workflow, "metadata", "annotations", controllers::kNodeRequestsAnnotation);
  // What cannot be read will not be carried out either.
  if (const auto parsed = doc::parse_json(waiting); parsed && parsed->is_array()) requests = parsed->get_array();
  requests.push_back(entry);
  return doc::to_json(requests);
}

/// A merge patch that holds only while the workflow is as it was read.
doc::Value appending_patch(const doc::Value& workflow, const doc::Value& entry, const doc::Object& labels) {
  doc::Object metadata{
      {"resourceVersion", version_of(workflow)},
      {"annotations", doc::Object{{controllers::kNodeRequestsAnnotation, with_entry(workflow, entry)}}}};
  if (!labels.empty()) metadata["labels"] = labels;
  return doc::Object{{"metadata", std::move(metadata)}};
}

class Appending : public std::enable_shared_from_this<Appending> {
 public:
  Appending(cluster::Cluster& cluster, cluster::Key workflow, doc::Value entry, doc::Object labels,
            cluster::Done<std::string> done)
      : cluster_(cluster),
        workflow_(std::move(workflow)),
        entry_(std::move(entry)),
        labels_(std::move(labels)),
        done_(std::move(done)) {}

  void start() {
    cluster_.get(workflow_, [self = shared_from_this()](Result<cluster::Object> before) {
      if (!before) return self->done_(std::unexpected(before.error()));
      self->append(*before);
    });
  }

 private:
  void append(const cluster::Object& before) {
    cluster_.patch(workflow_, cluster::PatchType::kMerge, appending_patch(*before, entry_, labels_),
                   [self = shared_from_this(), before](const Result<cluster::Object>& patched) {
                     if (patched) return self->finish();
                     if (patched.error().code == Code::kPermissionDenied) return self->update();
                     self->try_again(before, patched.error());
                   });
  }

  void update() {
    change(
        cluster_, workflow_,
        [self = shared_from_this()](doc::Value& workflow) {
          return doc::apply_merge_patch(workflow, appending_patch(workflow, self->entry_, self->labels_));
        },
        [self = shared_from_this()](const Result<cluster::Object>& updated) {
          if (!updated) return self->done_(std::unexpected(updated.error()));
          self->finish();
        });
  }

  void finish() { done_(std::string(doc::find_string(entry_, "id"))); }

  /// If it has been changed meanwhile.
  void try_again(const cluster::Object& before, const Error& why) {
    cluster_.get(workflow_, [self = shared_from_this(), before, why](Result<cluster::Object> now) {
      if (!now) return self->done_(std::unexpected(now.error()));
      if (version_of(**now) == version_of(*before) || ++self->tries_ == kMostTries) {
        return self->done_(std::unexpected(why));
      }
      self->append(*now);
    });
  }

  cluster::Cluster& cluster_;
  const cluster::Key workflow_;
  const doc::Value entry_;
  const doc::Object labels_;
  cluster::Done<std::string> done_;
  int tries_ = 0;
};

constexpr std::chrono::seconds kPatience(2);

class Waiting : public std::enable_shared_from_this<Waiting> {
 public:
  Waiting(Executor& executor, std::string id, std::move_only_function<void(bool)> done)
      : executor_(executor), id_(std::move(id)), done_(std::move(done)) {}

  void start(cluster::Cluster& cluster, const cluster::Key& workflow) {
    timer_ = executor_.schedule(executor_.now() + kPatience, [self = shared_from_this()] { self->finish(false); });
    cluster::WatchOptions options;
    options.ns = workflow.ns;
    options.fields = *cluster::Selector::parse_fields("metadata.name=" + workflow.name);
    cluster::WatchSink sink;
    sink.on_event = [weak = weak_from_this()](const cluster::WatchEvent& event) {
      const auto self = weak.lock();
      if (self && event.object && !self->waits(*event.object)) self->finish(true);
    };
    sink.on_end = [weak = weak_from_this()](const Error&) {
      if (const auto self = weak.lock()) self->finish(true);
    };
    watch_ = cluster.watch(cluster::kWorkflows, std::move(options), std::move(sink));
  }

 private:
  bool waits(const doc::Value& workflow) const {
    const auto annotation = [&](std::string_view name) {
      return doc::find_string(workflow, "metadata", "annotations", name);
    };
    return annotation(controllers::kNodeRequestsAnnotation).contains(id_) &&
           !annotation(controllers::kNodeRequestsDoneAnnotation).contains(id_);
  }

  /// Not from within the watch, which ends with it.
  void finish(bool taken) {
    if (!done_) return;
    executor_.cancel(timer_);
    executor_.post([self = shared_from_this(), taken, done = std::exchange(done_, {})]() mutable {
      self->watch_.reset();
      done(taken);
    });
  }

  Executor& executor_;
  const std::string id_;
  std::move_only_function<void(bool)> done_;
  std::unique_ptr<cluster::Watch> watch_;
  Executor::TimerId timer_ = 0;
};

/// The parameter that a node waits for, with its value; kFailedPrecondition: there is none such.
Status supply(doc::Object& node, std::string_view name, const doc::Value& value) {
  doc::Value* outputs = node.if_contains("outputs");
  if (!outputs) {
    return fail(Code::kFailedPrecondition,
                "cannot set output parameters because node is not expecting any raw parameters");
  }
  doc::Value* list = outputs && outputs->is_object() ? outputs->get_object().if_contains("parameters") : nullptr;
  doc::Array none;
  for (doc::Value& parameter : list && list->is_array() ? list->get_array() : none) {
    if (doc::find_string(parameter, "name") != name) continue;
    if (!doc::find(parameter, "valueFrom", "supplied")) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("cannot set output parameter '{}' because it does not use valueFrom.raw or it was "
                              "already set",
                              name));
    }
    parameter.get_object()["value"] = value;
    parameter.get_object().erase("valueFrom");
    return {};
  }
  return fail(Code::kFailedPrecondition, fmt::format("node is not expecting output parameter '{}'", name));
}

/// Parameters that nobody has supplied have their defaults.
Status supply_defaults(doc::Object& node) {
  const doc::Value shown(node);
  const doc::Value* list = doc::find(shown, "outputs", "parameters");
  if (!list || !list->is_array()) return {};
  for (const doc::Value& parameter : list->get_array()) {
    if (!doc::find(parameter, "valueFrom", "supplied")) continue;
    const std::string_view name = doc::find_string(parameter, "name");
    const doc::Value* value = doc::find(parameter, "valueFrom", "default");
    if (!value) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("raw output parameter '{}' has not been set and does not have a default value", name));
    }
    TIPHYS_CHECK_OK(supply(node, name, *value));
  }
  return {};
}

Result<doc::Value> as_requested(const api::NodeStatus& node, const NodeRequest& request, Time now) {
  TIPHYS_TRY(doc::Value changed, doc::parse_json(api::to_json(node)));
  doc::Object& members = changed.as_object();
  for (const auto& [name, value] : request.output_parameters) TIPHYS_CHECK_OK(supply(members, name, value));
  if (request.phase == "Succeeded" && request.selector.empty()) TIPHYS_CHECK_OK(supply_defaults(members));
  if (!request.phase.empty()) {
    members["phase"] = request.phase;
    members["finishedAt"] = format_rfc3339(now);
  }
  if (!request.message.empty()) members["message"] = request.message;
  return changed;
}

Result<cluster::WorkflowStatusUpdate> settle(const doc::Value& workflow, const NodeRequest& request, Time now) {
  cluster::WorkflowStatusUpdate update{.annotations = {{controllers::kNodeRequestsAnnotation, nullptr}}};
  TIPHYS_TRY(const std::vector<api::NodeStatus> nodes, controllers::read_nodes(workflow));
  for (const api::NodeStatus& node : nodes) {
    if (!is_active_suspend(node) || !request.selector.matches(node)) continue;
    TIPHYS_TRY(const doc::Value changed, as_requested(node, request, now));
    update.nodes.push_back({node.id, doc::to_json(changed)});
  }
  if (!update.nodes.empty()) return update;
  return fail(Code::kFailedPrecondition,
              "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector");
}

}  // namespace

Status check_request(const doc::Value& workflow, const NodeRequest& request) {
  TIPHYS_CHECK_OK(settle(workflow, request, Time{}));
  return {};
}

void set_nodes_instead(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow, NodeRequest request,
                       cluster::Done<void> done) {
  cluster.get(workflow, [&executor, &cluster, workflow, request = std::move(request),
                         done = std::move(done)](const Result<cluster::Object>& now) mutable {
    if (!now) return done(std::unexpected(now.error()));
    auto update = settle(**now, request, executor.now());
    if (!update) return done(std::unexpected(std::move(update.error())));
    cluster.update_workflow_status(workflow, std::move(*update), std::move(done));
  });
}

void request_nodes(cluster::Cluster& cluster, const cluster::Key& workflow, const NodeRequest& request,
                   cluster::Done<std::string> done) {
  auto entry = entry_of(request);
  if (!entry) return done(std::unexpected(entry.error()));
  std::make_shared<Appending>(cluster, workflow, std::move(*entry), request.labels, std::move(done))->start();
}

void await_request(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow, const std::string& id,
                   std::move_only_function<void(bool)> done) {
  std::make_shared<Waiting>(executor, id, std::move(done))->start(cluster, workflow);
}

}  // namespace tiphys::argo
