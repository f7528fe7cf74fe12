#include "controllers/resource_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/any_string.h"
#include "base/log.h"
#include "base/strings.h"
#include "controllers/names.h"
#include "controllers/resource_apply.h"
#include "controllers/resource_plan.h"
#include "doc/jsonpath.h"
#include "expr/condition.h"
#include "expr/go_json.h"
#include "expr/jq.h"

namespace tiphys::controllers {
namespace {

using Action = ResourcePlan::Action;
using cluster::Object;

/// As often as the original's executor lets kubectl try.
constexpr int kMostAttempts = 4;
constexpr Duration kFirstRetry = std::chrono::milliseconds(10);

bool transient(Code code) {
  return code == Code::kUnavailable || code == Code::kAborted || code == Code::kDeadlineExceeded ||
         code == Code::kResourceExhausted;
}

std::string_view doing(Action action) {
  switch (action) {
    case Action::kCreate:
      return "creating";
    case Action::kReplace:
      return "replacing";
    case Action::kApply:
      return "applying patch to";
    default:
      return "";
  }
}

cluster::WatchOptions watch_of(const cluster::Key& key) {
  cluster::WatchOptions options;
  options.ns = key.ns;
  Result<cluster::Selector> fields = cluster::Selector::parse_fields("metadata.name=" + key.name);
  if (fields) options.fields = std::move(*fields);
  return options;
}

/// A parameter whose value a jq filter gives.
struct JqOutput {
  std::size_t parameter;  ///< its place in the outputs
  std::string filter;
};

/// The filter's outputs as the original joins them: texts as they are, other values as JSON, one a line.
Result<std::string> jq_text(std::string_view filter, const doc::Value& object) {
  TIPHYS_TRY(const auto outputs, expr::run_jq(filter, object));
  std::string text;
  for (const doc::Value& output : outputs) {
    if (const auto* string = output.if_string()) {
      text += std::string_view(*string);
    } else {
      expr::append_go_json(output, text);
    }
    text += '\n';
  }
  return std::string(trim(text));
}

/// The steps of one action. Each asks the plane for one thing and goes on when it answers.
class Steps : public std::enable_shared_from_this<Steps> {
 public:
  Steps(Executor& executor, cluster::Cluster& cluster, const ResourceRunner::Offload& offload, ActionRequest request,
        ResourceRunner::Changed done)
      : executor_(executor),
        cluster_(cluster),
        offload_(offload),
        request_(std::move(request)),
        done_(std::move(done)) {}

  void begin();
  void cancel() {
    done_ = nullptr;
    watch_.reset();
  }

 private:
  void act();
  void acted(Result<Object> answer);
  void next();
  void all_done();
  void create();
  void created(Result<Object> answer);
  void apply();
  void replace();
  void remove();
  void find_selected(std::size_t kind);
  void remove_from(std::size_t at);
  void await_removal(std::size_t at);
  void removed();
  void settle(const Object& object);
  void await_conditions();
  void check(const Object& object);
  Result<bool> failed(const doc::Value& object, std::string& requirement) const;
  void collect_outputs(const Object& object);
  void filter_outputs(const Object& object, api::Outputs outputs, std::vector<JqOutput> filters);
  void succeed(api::Outputs outputs);
  Result<std::string> output_of(const doc::Value& value_from, const doc::Value* object) const;

  const ResourcePlan::Target& target() const { return plan_.targets[at_]; }
  void fail(const std::string& message);
  void finish(engine::ActionChanged finished);
  std::string created_by() const { return fmt::format("{}/{}", request_.workflow_uid, request_.run.node_id); }
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock(); self && self->done_) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  const ResourceRunner::Offload& offload_;
  ActionRequest request_;
  ResourceRunner::Changed done_;
  ResourcePlan plan_;
  std::size_t at_ = 0;               ///< the target at hand
  int attempts_ = 0;                 ///< at it
  Object last_;                      ///< what has been made or read
  std::string errors_;               ///< of kubectl, one a line
  std::vector<cluster::Key> going_;  ///< what is deleted
  std::unique_ptr<cluster::Watch> watch_;
};

void Steps::begin() {
  executor_.post(guarded([](Steps& self) {
    Result<ResourcePlan> plan = plan_resource(self.request_);
    if (!plan) return self.fail(plan.error().message);
    self.plan_ = std::move(*plan);
    self.act();
  }));
}

void Steps::act() {
  ++attempts_;
  auto done = guarded([](Steps& self, Result<Object> answer) { self.acted(std::move(answer)); });
  switch (plan_.action) {
    case Action::kGet:
      return cluster_.get(target().key, std::move(done));
    case Action::kCreate:
      return create();
    case Action::kApply:
      return apply();
    case Action::kPatch:
      return cluster_.patch(target().key, plan_.patch_type, target().manifest, std::move(done));
    case Action::kReplace:
      return replace();
    case Action::kDelete:
      return remove();
  }
}

void Steps::acted(Result<Object> answer) {
  if (answer) {
    last_ = std::move(*answer);
    return next();
  }
  const Code code = answer.error().code;
  if (code == Code::kNotFound && plan_.action == Action::kGet && plan_.ignore_not_found) return next();
  if (transient(code) && attempts_ < kMostAttempts) {
    Duration delay = kFirstRetry;
    for (int i = 1; i < attempts_; ++i) delay *= 5;
    executor_.schedule(executor_.now() + delay, guarded([](Steps& self) { self.act(); }));
    return;
  }
  if (!errors_.empty()) errors_ += '\n';
  errors_ += kubectl_error(answer.error(), doing(plan_.action)).message;
  next();
}

/// What fails holds up nothing that comes after it. Deletions are one step.
void Steps::next() {
  if (plan_.action == Action::kDelete || at_ + 1 == plan_.targets.size()) return all_done();
  ++at_;
  attempts_ = 0;
  act();
}

void Steps::all_done() {
  if (!errors_.empty()) return fail(fmt::format("{}{}", kNoMoreRetries, errors_));
  if (!last_) return collect_outputs(nullptr);
  if (plan_.targets.size() > 1) return fail(std::string(several_objects_error(plan_.action)));
  settle(last_);
}

// ---- Actions ----

void Steps::create() {
  doc::Value object = target().manifest;
  doc::Object& metadata = doc::ensure_object(object.get_object(), "metadata");
  metadata.erase("generateName");
  doc::ensure_object(metadata, "annotations")[kCreatedByAnnotation] = created_by();
  cluster_.create(*target().key.resource, std::move(object),
                  guarded([](Steps& self, Result<Object> answer) { self.created(std::move(answer)); }));
}

void Steps::created(Result<Object> answer) {
  if (answer || answer.error().code != Code::kAlreadyExists) return acted(std::move(answer));
  cluster_.get(target().key, guarded([error = answer.error()](Steps& self, Result<Object> existing) {
                 const bool ours = existing && doc::find_string(**existing, "metadata", "annotations",
                                                                kCreatedByAnnotation) == self.created_by();
                 // Made by this very node before a crash: the creation has succeeded.
                 self.acted(ours ? std::move(existing) : std::unexpected(error));
               }));
}

void Steps::apply() {
  cluster_.get(target().key, guarded([](Steps& self, Result<Object> live) {
                 auto done = self.guarded([](Steps& steps, Result<Object> answer) { steps.acted(std::move(answer)); });
                 if (live) {
                   return self.cluster_.patch(self.target().key, apply_patch_type(*self.target().key.resource),
                                              apply_patch(self.target().manifest, **live), std::move(done));
                 }
                 if (live.error().code != Code::kNotFound) return self.acted(std::move(live));
                 self.cluster_.create(*self.target().key.resource, with_last_applied(self.target().manifest),
                                      std::move(done));
               }));
}

void Steps::replace() {
  if (plan_.force) {
    going_ = {target().key};
    return remove_from(0);
  }
  cluster_.get(target().key, guarded([](Steps& self, Result<Object> live) {
                 if (!live) return self.acted(std::move(live));
                 self.cluster_.update(
                     self.target().key, self.target().manifest,
                     self.guarded([](Steps& steps, Result<Object> answer) { steps.acted(std::move(answer)); }));
               }));
}

void Steps::remove() {
  going_.clear();
  if (plan_.selection) return find_selected(0);
  std::ranges::transform(plan_.targets, std::back_inserter(going_), &ResourcePlan::Target::key);
  remove_from(0);
}

void Steps::find_selected(std::size_t kind) {
  const ResourcePlan::Selection& selection = *plan_.selection;
  if (kind == selection.kinds.size()) return remove_from(0);
  const cluster::Key& of = selection.kinds[kind];
  cluster_.list(*of.resource, {.ns = of.ns, .labels = selection.labels, .fields = selection.fields},
                guarded([kind](Steps& self, Result<cluster::List> list) {
                  if (!list) return self.acted(std::unexpected(list.error()));
                  for (const Object& object : list->items) {
                    self.going_.push_back({self.plan_.selection->kinds[kind].resource,
                                           std::string(doc::find_string(*object, "metadata", "namespace")),
                                           std::string(doc::find_string(*object, "metadata", "name"))});
                  }
                  self.find_selected(kind + 1);
                }));
}

void Steps::remove_from(std::size_t at) {
  if (at == going_.size()) return plan_.wait || plan_.force ? await_removal(0) : removed();
  cluster_.remove(going_[at], {.grace_seconds = plan_.grace_seconds}, guarded([at](Steps& self, Result<Object> answer) {
                    if (answer || answer.error().code == Code::kNotFound) return self.remove_from(at + 1);
                    self.acted(std::move(answer));
                  }));
}

void Steps::removed() {
  if (plan_.action == Action::kDelete) return finish({});
  cluster_.create(*target().key.resource, target().manifest,
                  guarded([](Steps& self, Result<Object> answer) { self.acted(std::move(answer)); }));
}

/// kubectl returns when all of it is gone.
void Steps::await_removal(std::size_t at) {
  if (at == going_.size()) return removed();
  watch_ = cluster_.watch(*going_[at].resource, watch_of(going_[at]),
                          {guarded([at, present = false](Steps& self, const cluster::WatchEvent& event) mutable {
                             using Type = cluster::WatchEvent::Type;
                             if (event.type == Type::kAdded) present = true;
                             const bool absent = event.type == Type::kSynced && !present;
                             if (!absent && event.type != Type::kDeleted) return;
                             // Not within the watch, which ends with this.
                             self.executor_.post(self.guarded([at](Steps& steps) { steps.await_removal(at + 1); }));
                           }),
                           guarded([at](Steps& self, const Error&) { self.await_removal(at); })});
}

// ---- After the action ----

void Steps::settle(const Object& object) {
  if (plan_.success_condition.empty() && plan_.failure_condition.empty()) return collect_outputs(object);
  await_conditions();
}

void Steps::await_conditions() {
  watch_ = cluster_.watch(
      *target().key.resource, watch_of(target().key),
      {guarded([present = false](Steps& self, const cluster::WatchEvent& event) mutable {
         using Type = cluster::WatchEvent::Type;
         const bool has_object = event.type == Type::kAdded || event.type == Type::kModified;
         if (has_object && doc::find_string(*event.object, "metadata", "name") == self.target().key.name) {
           present = true;
           return self.check(event.object);
         }
         const bool absent = event.type == Type::kSynced && !present;
         if (!absent && event.type != Type::kDeleted) return;
         self.fail(
             fmt::format("The resource has been deleted while its status was still being checked. Will not be "
                         "retried: {} \"{}\" not found",
                         self.target().key.resource->plural, self.target().key.name));
       }),
       guarded([](Steps& self, const Error&) { self.await_conditions(); })});
}

Result<bool> Steps::failed(const doc::Value& object, std::string& requirement) const {
  for (std::string& text : condition_requirements(plan_.failure_condition)) {
    Result<bool> met = expr::eval_resource_condition(text, object);
    if (!met) {
      return tiphys::fail(Code::kInvalidArgument, fmt::format("fail condition '{}' failed to parse: {}",
                                                              plan_.failure_condition, met.error().message));
    }
    if (*met) {
      requirement = std::move(text);
      return true;
    }
  }
  return false;
}

void Steps::check(const Object& object) {
  Result<bool> succeeded = plan_.success_condition.empty()
                               ? Result<bool>(true)
                               : expr::eval_resource_condition(plan_.success_condition, *object);
  if (!succeeded) {
    return fail(
        fmt::format("success condition '{}' failed to parse: {}", plan_.success_condition, succeeded.error().message));
  }
  std::string requirement;
  const Result<bool> has_failed = failed(*object, requirement);
  if (!has_failed) return fail(has_failed.error().message);
  if (*has_failed) return fail(fmt::format("failure condition '{}' evaluated true", requirement));
  if (*succeeded) collect_outputs(object);
}

Result<std::string> Steps::output_of(const doc::Value& value_from, const doc::Value* object) const {
  if (!object) {
    const doc::Value* fallback = doc::find(value_from, "default");
    return fallback ? api::any_string(*fallback) : std::string();
  }
  const std::string_view path = doc::find_string(value_from, "jsonPath");
  return doc::eval_jsonpath(path, *object, true);
}

/// Parameters in their order; those of jq filters are filled in afterwards.
void Steps::collect_outputs(const Object& object) {
  api::Outputs outputs;
  std::vector<JqOutput> filters;
  const doc::Value* parameters = doc::find(plan_.outputs, "parameters");
  if (parameters && parameters->is_array()) {
    for (const doc::Value& parameter : parameters->get_array()) {
      const doc::Value* value_from = doc::find(parameter, "valueFrom");
      if (!value_from) continue;
      const std::string_view filter = doc::find_string(*value_from, "jqFilter");
      if (object && filter.empty() && doc::find_string(*value_from, "jsonPath").empty()) continue;
      Result<std::string> value = std::string();
      if (object && !filter.empty()) {
        filters.push_back({outputs.parameters.size(), std::string(filter)});
      } else {
        value = output_of(*value_from, object.get());
      }
      if (!value) return fail(fmt::format("error: error executing jsonpath: {}", value.error().message));
      api::Parameter& output = outputs.parameters.emplace_back();
      output.name = doc::find_string(parameter, "name");
      output.value = std::move(*value);
    }
  }
  if (filters.empty()) return succeed(std::move(outputs));
  filter_outputs(object, std::move(outputs), std::move(filters));
}

void Steps::filter_outputs(const Object& object, api::Outputs outputs, std::vector<JqOutput> filters) {
  auto done = guarded([](Steps& self, Result<api::Outputs> filtered) {
    if (!filtered) return self.fail(filtered.error().message);
    self.succeed(std::move(*filtered));
  });
  offload_([&executor = executor_, object, outputs = std::move(outputs), filters = std::move(filters),
            done = std::move(done)]() mutable {
    Result<api::Outputs> filtered = std::move(outputs);
    for (const JqOutput& each : filters) {
      const auto text = jq_text(each.filter, *object);
      if (!text) {
        filtered = std::unexpected(text.error());
        break;
      }
      filtered->parameters[each.parameter].value = *text;
    }
    executor.post([filtered = std::move(filtered), done = std::move(done)]() mutable { done(std::move(filtered)); });
  });
}

void Steps::succeed(api::Outputs outputs) {
  engine::ActionChanged finished;
  finished.outputs = std::move(outputs);
  finish(std::move(finished));
}

void Steps::fail(const std::string& message) {
  engine::ActionChanged finished;
  finished.phase = api::NodePhase::kFailed;
  // As the original's pod tells it: its main container is an executor that exits with this code.
  finished.message = fmt::format("main: Error (exit code 64): {}", message);
  finish(std::move(finished));
}

void Steps::finish(engine::ActionChanged finished) {
  const bool succeeded = finished.phase == api::NodePhase::kSucceeded;
  finished.node_id = request_.run.node_id;
  if (!finished.outputs) finished.outputs.emplace();
  finished.outputs->exit_code = succeeded ? "0" : "64";
  watch_.reset();
  std::exchange(done_, nullptr)(std::move(finished));
}

}  // namespace

std::unique_ptr<RunningAction> ResourceRunner::run(ActionRequest request, Changed done) {
  auto steps = std::make_shared<Steps>(executor_, cluster_, offload_, std::move(request), std::move(done));
  steps->begin();
  return std::make_unique<CancellableAction<Steps>>(std::move(steps));
}

}  // namespace tiphys::controllers
