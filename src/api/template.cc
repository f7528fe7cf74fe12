#include <fmt/format.h>

#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kExitHook = "exit";
constexpr std::string_view kOnExit = "onExit";

constexpr Field<Sequence> kSequenceFields[] = {
    int_or_string_field<&Sequence::count>("count"),
    int_or_string_field<&Sequence::start>("start"),
    int_or_string_field<&Sequence::end>("end"),
    field<&Sequence::format>("format"),
};

constexpr Field<ContinueOn> kContinueOnFields[] = {
    field<&ContinueOn::error>("error"),
    field<&ContinueOn::failed>("failed"),
};

void read_with_items(const Place& place, Step& out) {
  if (const auto* text = place.value().if_string()) {
    place.warn(fmt::format("{} takes a list; a string is read as withParam", place.name()));
    out.with_param = *text;
  } else if (expect_array(place)) {
    out.with_items = place.value().get_array();
  }
}

constexpr Field<TemplateRef> kTemplateRefFields[] = {
    field<&TemplateRef::name>("name"),
    field<&TemplateRef::template_name>("template"),
    field<&TemplateRef::cluster_scope>("clusterScope"),
};

constexpr Field<LifecycleHook> kHookFields[] = {
    field<&LifecycleHook::template_name>("template"),
    field<&LifecycleHook::template_ref>("templateRef"),
    field<&LifecycleHook::arguments>("arguments"),
    field<&LifecycleHook::expression>("expression"),
};

/// Tasks have them all; steps lack the last two.
constexpr Field<Step> kTaskFields[] = {
    field<&Step::name>("name"),
    field<&Step::template_name>("template"),
    field<&Step::inline_template>("inline"),
    field<&Step::arguments>("arguments"),
    field<&Step::template_ref>("templateRef"),
    {"withItems", Handling::kRead, read_with_items},
    field<&Step::with_param>("withParam"),
    {"withSequence", Handling::kRead,
     [](const Place& place, Step& out) { read_object<Sequence>(place, out.with_sequence.emplace(), kSequenceFields); }},
    field<&Step::when>("when"),
    {"continueOn", Handling::kRead,
     [](const Place& place, Step& out) { read_object<ContinueOn>(place, out.continue_on, kContinueOnFields); }},
    {"onExit", Handling::kRead, [](const Place& place, Step& out) { read_on_exit(place, out.exit); }},
    {"hooks", Handling::kRead, [](const Place& place, Step& out) { read_hooks(place, out.exit, out.hooks); }},
    field<&Step::dependencies>("dependencies"),
    field<&Step::depends>("depends"),
};
constexpr std::span<const Field<Step>> kStepFields = std::span(kTaskFields).first(std::size(kTaskFields) - 2);

void read_step(const Place& place, Step& out) {
  read_object<Step>(place, out, kStepFields);
}

void read_steps(const Place& place, Template& out) {
  if (!expect_array(place)) return;
  const doc::Array& groups = place.value().get_array();
  bool warned = false;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Place group = place.element(i, groups[i]);
    StepGroup& steps = out.steps.emplace_back();
    if (groups[i].is_object()) {
      // Argo wants a list of lists; a flat list can only mean one step after the other.
      if (!warned)
        group.warn(fmt::format("{} is a bare step; it is taken as a group of one: write \"- - name:\"", group.name()));
      warned = true;
      read_step(group, steps.emplace_back());
    } else if (expect_array(group)) {
      const doc::Array& members = groups[i].get_array();
      for (std::size_t j = 0; j < members.size(); ++j) read_step(group.element(j, members[j]), steps.emplace_back());
    }
  }
}

constexpr Field<Dag> kDagFields[] = {
    field<&Dag::target>("target"),
    field<&Dag::fail_fast>("failFast"),
    {"tasks", Handling::kRead,
     [](const Place& place, Dag& out) {
       if (!expect_array(place)) return;
       const doc::Array& tasks = place.value().get_array();
       for (std::size_t i = 0; i < tasks.size(); ++i) {
         read_object<Step>(place.element(i, tasks[i]), out.tasks.emplace_back(), kTaskFields);
       }
     }},
};

constexpr Field<Suspend> kSuspendFields[] = {
    field<&Suspend::duration>("duration"),
};

constexpr Field<ResourceAction> kResourceFields[] = {
    field<&ResourceAction::action>("action"),
    field<&ResourceAction::merge_strategy>("mergeStrategy"),
    field<&ResourceAction::manifest>("manifest"),
    field<&ResourceAction::success_condition>("successCondition"),
    field<&ResourceAction::failure_condition>("failureCondition"),
    field<&ResourceAction::set_owner_reference>("setOwnerReference"),
    field<&ResourceAction::flags>("flags"),
    {"manifestFrom", Handling::kLater},
};

constexpr Field<Backoff> kBackoffFields[] = {
    field<&Backoff::duration>("duration"),
    int_or_string_field<&Backoff::factor>("factor"),
    field<&Backoff::cap>("cap"),
    field<&Backoff::max_duration>("maxDuration"),
};

constexpr Field<RetryStrategy> kRetryStrategyFields[] = {
    int_or_string_field<&RetryStrategy::limit>("limit"),
    field<&RetryStrategy::retry_policy>("retryPolicy"),
    {"backoff", Handling::kRead,
     [](const Place& place, RetryStrategy& out) {
       read_object<Backoff>(place, out.backoff.emplace(), kBackoffFields);
     }},
    field<&RetryStrategy::expression>("expression"),
    {"affinity", Handling::kCluster},
};

constexpr Field<Memoize> kConfigMapKeyFields[] = {
    field<&Memoize::config_map>("name"),
    {"key"},
    {"optional"},
};

constexpr Field<Memoize> kCacheFields[] = {
    {"configMap", Handling::kRead,
     [](const Place& place, Memoize& out) { read_object<Memoize>(place, out, kConfigMapKeyFields); }},
};

constexpr Field<Memoize> kMemoizeFields[] = {
    field<&Memoize::key>("key"),
    field<&Memoize::max_age>("maxAge"),
    {"cache", Handling::kRead,
     [](const Place& place, Memoize& out) { read_object<Memoize>(place, out, kCacheFields); }},
};

constexpr Field<Template> kArchiveLocationFields[] = {
    {"archiveLogs"},
    {"s3", Handling::kLater},
    {"git", Handling::kLater},
    {"http", Handling::kLater},
    {"artifactory", Handling::kLater},
    {"hdfs", Handling::kLater},
    {"raw", Handling::kLater},
    {"oss", Handling::kLater},
    {"gcs", Handling::kLater},
    {"azure", Handling::kLater},
    {"plugin", Handling::kLater},
};

void read_annotations(const Place& place, Template& out) {
  std::map<std::string, std::string> annotations;
  read(place, annotations);
  out.display_name = annotations["workflows.argoproj.io/display-name"];
}

void read_container(const Place& place, Template& out) {
  out.type = Template::Type::kContainer;
  check_container(place);
}

void read_script(const Place& place, Template& out) {
  out.type = Template::Type::kScript;
  check_script(place);
}

constexpr Field<Template> kTemplateFields[] = {
    field<&Template::name>("name"),
    field<&Template::inputs>("inputs"),
    field<&Template::outputs>("outputs"),
    {"container", Handling::kRead, read_container},
    {"script", Handling::kRead, read_script},
    {"steps", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kSteps;
       read_steps(place, out);
     }},
    {"dag", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kDag;
       read_object<Dag>(place, out.dag.emplace(), kDagFields);
     }},
    {"suspend", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kSuspend;
       read_object<Suspend>(place, out.suspend.emplace(), kSuspendFields);
     }},
    {"resource", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kResource;
       read_object<ResourceAction>(place, out.resource.emplace(), kResourceFields);
     }},
    field<&Template::retry_strategy>("retryStrategy"),
    {"memoize", Handling::kRead,
     [](const Place& place, Template& out) { read_object<Memoize>(place, out.memoize.emplace(), kMemoizeFields); }},
    field<&Template::synchronization>("synchronization"),
    int_or_string_field<&Template::active_deadline_seconds>("activeDeadlineSeconds"),
    field<&Template::timeout>("timeout"),
    field<&Template::parallelism>("parallelism"),
    field<&Template::fail_fast>("failFast"),
    {"annotations", Handling::kRead, read_annotations},
    {"metadata", Handling::kRead, [](const Place& place, Template&) { check_metadata(place); }},
    {"volumes", Handling::kRead, [](const Place& place, Template&) { check_volumes(place); }},
    {"initContainers", Handling::kRead, [](const Place& place, Template&) { check_further_containers(place); }},
    {"sidecars", Handling::kRead, [](const Place& place, Template&) { check_further_containers(place); }},
    {"podSpecPatch", Handling::kRead, check_as<std::string>},
    {"archiveLocation", Handling::kRead,
     [](const Place& place, Template& out) { read_object<Template>(place, out, kArchiveLocationFields); }},
    {"securityContext"},
    {"serviceAccountName"},
    {"automountServiceAccountToken"},
    {"nodeSelector", Handling::kCluster},
    {"affinity", Handling::kCluster},
    {"tolerations", Handling::kCluster},
    {"schedulerName", Handling::kCluster},
    {"priorityClassName", Handling::kCluster},
    {"hostAliases", Handling::kCluster},
    {"executor", Handling::kCluster},
    {"podResources", Handling::kCluster},
    {"resourceClaims", Handling::kCluster},
    {"containerSet", Handling::kLater},
    {"data", Handling::kLater},
    {"http", Handling::kLater},
    {"plugin", Handling::kLater},
    {"daemon", Handling::kLater},
    {"metrics", Handling::kLater},
    {"pendingTimeout", Handling::kLater},
};

}  // namespace

void read_on_exit(const Place& place, std::optional<LifecycleHook>& exit) {
  LifecycleHook hook;
  hook.name = kOnExit;
  read(place, hook.template_name);
  if (!hook.template_name.empty()) exit = std::move(hook);
}

void read_hooks(const Place& place, std::optional<LifecycleHook>& exit, std::vector<LifecycleHook>& others) {
  if (!expect_object(place)) return;
  // onExit stands beside it, before or after.
  const bool has_on_exit = !doc::find_string(place.parent_value(), kOnExit).empty();
  for (const auto& [name, value] : place.value().get_object()) {
    const Place member = place.member(name, value);
    LifecycleHook hook;
    hook.name = std::string_view(name);
    read_object<LifecycleHook>(member, hook, kHookFields);
    if (hook.name != kExitHook) {
      if (hook.expression.empty())
        member.error(fmt::format("{} needs an expression: only exit goes without", member.name()));
      others.push_back(std::move(hook));
    } else if (!has_on_exit) {
      exit = std::move(hook);
    }
  }
}

void read(const Place& place, TemplateRef& out) {
  read_object<TemplateRef>(place, out, kTemplateRefFields);
}

void read(const Place& place, RetryStrategy& out) {
  read_object<RetryStrategy>(place, out, kRetryStrategyFields);
}

void read(const Place& place, Template& out) {
  read_object<Template>(place, out, kTemplateFields);
  out.document = place.shared();
}

void read(const Place& place, std::shared_ptr<const Template>& out) {
  auto made = std::make_shared<Template>();
  read(place, *made);
  out = std::move(made);
}

}  // namespace tiphys::api
