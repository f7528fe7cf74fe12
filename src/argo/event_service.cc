// EventService: what comes from outside starts workflows, by the WorkflowEventBindings of its namespace.
#include <fmt/format.h>

#include "argo/creator.h"
#include "argo/kind_service.h"
#include "argo/submit_source.h"
#include "controllers/event_recorder.h"
#include "expr/ambient.h"
#include "expr/condition.h"
#include "expr/go_json.h"

namespace tiphys::argo {
namespace {

constexpr KindService kBindings{cluster::kWorkflowEventBindings, "", "WorkflowEventBindingList"};
constexpr const char* kBindingLabel = "workflows.argoproj.io/workflow-event-binding";

/// One event on its way to all bindings; answered when each has been looked at.
class Dispatch : public std::enable_shared_from_this<Dispatch> {
 public:
  Dispatch(WorkPtr work, cluster::List bindings)
      : work_(std::move(work)),
        bindings_(std::move(bindings.items)),
        ambient_{work_->plane().executor.now(), &work_->plane().random} {
    scope_.set_ambient(&ambient_);
    scope_.set("namespace", work_->text("namespace"));
    scope_.set("discriminator", work_->text("discriminator"));
    scope_.set_value("metadata", work_->metadata());
    // All its numbers are floats there.
    auto payload = expr::parse_go_json(doc::to_json(work_->member("payload")));
    scope_.set_value("payload", payload ? std::move(*payload) : doc::Value());
  }

  void next() {
    if (at_ == bindings_.size()) return end();
    const doc::Value& binding = *bindings_[at_];
    const auto selected = expr::eval_bool_expression(doc::find_string(binding, "spec", "event", "selector"), scope_);
    if (!selected) return fail_with(selected.error().in("failed to evaluate workflow template expression"));
    if (!*selected || !doc::find(binding, "spec", "submit")) return done_with_one();
    get_template();
  }

 private:
  const doc::Value& binding() const { return *bindings_[at_]; }

  void get_template() {
    const doc::Value* ref = doc::find(binding(), "spec", "submit", "workflowTemplateRef");
    const doc::Value* wide = ref ? doc::find(*ref, "clusterScope") : nullptr;
    const bool of_cluster = wide && wide->is_bool() && wide->get_bool();
    const cluster::Resource& resource = of_cluster ? cluster::kClusterWorkflowTemplates : cluster::kWorkflowTemplates;
    const std::string name(ref ? doc::find_string(*ref, "name") : "");
    work_->cluster().get({&resource, work_->text("namespace"), name},
                         [self = shared_from_this(), &resource, name](Result<cluster::Object> found) {
                           if (!found) return self->fail_with(found.error().in("failed to get workflow template"));
                           self->submit(workflow_from_template(resource, name), **found);
                         });
  }

  void submit(doc::Value workflow, const doc::Value& tmpl) {
    if (const Status filled = fill(workflow, tmpl); !filled) return fail_with(filled.error());
    work_->cluster().create(cluster::kWorkflows, std::move(workflow),
                            [self = shared_from_this()](const Result<cluster::Object>& made) {
                              if (!made) return self->fail_with(made.error().in("failed to create workflow"));
                              self->done_with_one();
                            });
  }

  Status fill(doc::Value& workflow, const doc::Value& tmpl) {
    doc::Object& metadata = workflow.get_object()["metadata"].get_object();
    metadata["namespace"] = work_->text("namespace");
    for (const char* map : {"labels", "annotations"}) {
      const doc::Value* given = doc::find(tmpl, "spec", "workflowMetadata", map);
      if (!given || !given->is_object()) continue;
      for (const auto& [key, value] : given->get_object()) doc::ensure_object(metadata, map)[key] = value;
    }
    if (const doc::Value* asked = doc::find(binding(), "spec", "submit", "metadata")) {
      TIPHYS_CHECK_OK(fill_metadata(metadata, *asked));
    }
    label_creator(workflow, work_->caller());
    doc::ensure_object(metadata, "labels")[kBindingLabel] = doc::find_string(binding(), "metadata", "name");
    return fill_arguments(workflow);
  }

  /// Each is an expression that gives a string.
  Status fill_metadata(doc::Object& metadata, const doc::Value& asked) {
    for (const char* field : {"name", "generateName"}) {
      const std::string_view text = doc::find_string(asked, field);
      if (text.empty()) continue;
      TIPHYS_TRY(metadata[field], text_of(text, field));
    }
    for (const auto& [map, what] : {std::pair("labels", "label"), std::pair("annotations", "annotation")}) {
      const doc::Value* given = doc::find(asked, map);
      if (!given || !given->is_object()) continue;
      for (const auto& [key, value] : given->get_object()) {
        TIPHYS_TRY(doc::ensure_object(metadata, map)[key],
                   text_of(doc::scalar_text(value), fmt::format("{} \"{}\"", what, std::string_view(key))));
      }
    }
    return {};
  }

  Result<std::string> text_of(std::string_view expression, std::string_view what) {
    auto value = expr::eval_expression(expression, scope_);
    if (!value)
      return std::unexpected(value.error().in(fmt::format("failed to evaluate workflow {} expression", what)));
    if (value->is_string()) return std::string(value->get_string());
    return fail(Code::kInvalidArgument, fmt::format("workflow {} expression must evaluate to a string", what));
  }

  Status fill_arguments(doc::Value& workflow) {
    const doc::Value* asked = doc::find(binding(), "spec", "submit", "arguments", "parameters");
    if (!asked || !asked->is_array() || asked->get_array().empty()) return {};
    doc::Array parameters;
    for (const doc::Value& parameter : asked->get_array()) {
      const std::string name(doc::find_string(parameter, "name"));
      if (!doc::find(parameter, "valueFrom")) {
        return fail(Code::kInvalidArgument,
                    fmt::format("malformed workflow template parameter \"{}\": valueFrom is nil", name));
      }
      auto value = expr::eval_expression(doc::find_string(parameter, "valueFrom", "event"), scope_);
      if (!value) {
        return std::unexpected(
            value.error().in(fmt::format("failed to evaluate workflow template parameter \"{}\" expression", name)));
      }
      std::string text;
      if (value->is_string()) {
        text = value->get_string();
      } else {
        expr::append_go_json(*value, text);
      }
      parameters.push_back(doc::Object{{"name", name}, {"value", std::move(text)}});
    }
    doc::Object& spec = workflow.get_object()["spec"].get_object();
    spec["arguments"] = doc::Object{{"parameters", std::move(parameters)}};
    return {};
  }

  void fail_with(const Error& error) {
    const controllers::EventSubject subject{&cluster::kWorkflowEventBindings, work_->text("namespace"),
                                            std::string(doc::find_string(binding(), "metadata", "name")),
                                            std::string(doc::find_string(binding(), "metadata", "uid"))};
    controllers::EventRecorder& recorder = *work_->plane().recorder;
    recorder.record(subject, {.warning = true,
                              .reason = "WorkflowEventBindingError",
                              .message = "failed to dispatch event: " + error.message});
    recorder.write();
    if (!first_error_) first_error_ = error;
    errors_ += (errors_.empty() ? "" : " ") + error.message;
    done_with_one();
  }

  /// Not from within: a namespace may have many bindings.
  void done_with_one() {
    ++at_;
    work_->plane().executor.post([self = shared_from_this()] { self->next(); });
  }

  void end() {
    if (!first_error_) return work_->reply(doc::Object{});
    work_->refuse({first_error_->code, fmt::format("failed to dispatch event: [{}]", errors_)});
  }

  const WorkPtr work_;
  const std::vector<cluster::Object> bindings_;
  const expr::Ambient ambient_;
  expr::Scope scope_;
  std::size_t at_ = 0;
  std::optional<Error> first_error_;
  std::string errors_;
};

void receive_event(const WorkPtr& work) {
  cluster::ListOptions options;
  options.ns = work->text("namespace");
  work->cluster().list(cluster::kWorkflowEventBindings, std::move(options),
                       work->then<cluster::List>([work](cluster::List bindings) {
                         std::make_shared<Dispatch>(work, std::move(bindings))->next();
                       }));
}

}  // namespace

const Methods& event_methods() {
  static const Methods kMethods{{"ReceiveEvent", receive_event},
                                {"ListWorkflowEventBindings", [](const WorkPtr& work) { list(work, kBindings); }}};
  return kMethods;
}

}  // namespace tiphys::argo
