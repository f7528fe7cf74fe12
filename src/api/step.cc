// Steps, tasks and hooks.
#include <fmt/format.h>

#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kExitHook = "exit";
constexpr std::string_view kOnExit = "onExit";

constexpr Field<Sequence> kSequenceFields[] = {
    int_or_string_field<&Sequence::count>("count", "How many numbers. Not beside `end`.", "Rules.GiveTheNodes"),
    int_or_string_field<&Sequence::start>("start", "The first number; 0.", "Rules.GiveTheNodes"),
    int_or_string_field<&Sequence::end>("end", "The last number; counts down when it is below `start`.",
                                        "Rules.GiveTheNodes"),
    field<&Sequence::format>("format", "How a number is written, as printf has it: \"node%02d\".",
                             "Rules.GiveTheNodes"),
};
constexpr FieldTable kSequenceTable("Sequence", kSequenceFields);

constexpr Field<ContinueOn> kContinueOnFields[] = {
    field<&ContinueOn::error>("error", "What follows runs although this one ended in an error.", "Rules.GiveTheNodes"),
    field<&ContinueOn::failed>("failed", "What follows runs although this one failed.", "Rules.GiveTheNodes"),
};
constexpr FieldTable kContinueOnTable("ContinueOn", kContinueOnFields);

void read_with_items(const Place& place, Step& out) {
  if (const auto* text = place.value().if_string()) {
    place.warn(fmt::format("{} takes a list; a string is read as withParam", place.name()));
    out.with_param = *text;
  } else if (expect_array(place)) {
    out.with_items = place.value().get_array();
  }
}

constexpr Field<TemplateRef> kTemplateRefFields[] = {
    {"name", Handling::kRead, [](const Place& place, TemplateRef& out) { read(place, out.name); },
     "The WorkflowTemplate.", &kString, "WorkflowControllerTest.TakesTemplatesOfOtherObjectsOnce",
     "What a workflow refers to is settled as it begins; where a step or task has tags, as that begins, and where a "
     "hook "
     "has, as what is around begins."},
    {"template", Handling::kRead, [](const Place& place, TemplateRef& out) { read(place, out.template_name); },
     "The template in it.", &kString, "WorkflowControllerTest.TakesTemplatesOfOtherObjectsOnce", "The same."},
    field<&TemplateRef::cluster_scope>("clusterScope", "It is a ClusterWorkflowTemplate.",
                                       "TemplateRef.NamesAreLookedUpWhereTheyAreWritten"),
};

constexpr Field<LifecycleHook> kHookFields[] = {
    field<&LifecycleHook::template_name>("template", "The template that runs.", "Hooks.Rules"),
    field<&LifecycleHook::template_ref>("templateRef", "A template of another object instead.",
                                        "TemplateRef.NamesAreLookedUpWhereTheyAreWritten"),
    field<&LifecycleHook::arguments>("arguments", "What the template gets.", "Hooks.ArgumentsSeeTheStep"),
    field<&LifecycleHook::expression>("expression", "When it runs; `exit` goes without: at the end.", "Hooks.Rules"),
};

constexpr Shape kItems{Shape::Type::kAny, Shape::Around::kList};

/// Tasks have them all; steps lack the last two.
constexpr Field<Step> kTaskFields[] = {
    field<&Step::name>("name", "How {{steps.NAME...}} and {{tasks.NAME...}} call it, and others that wait for it."),
    field<&Step::template_name>("template", "The template that it runs.", "Rules.GiveTheNodes"),
    field<&Step::inline_template>("inline", "The template itself instead.", "Rules.GiveTheNodes"),
    field<&Step::arguments>("arguments", "What the template gets.", "Rules.GiveTheNodes"),
    field<&Step::template_ref>("templateRef", "A template of another object instead.",
                               "TemplateRef.NamesAreLookedUpWhereTheyAreWritten"),
    {"withItems", Handling::kRead, read_with_items, "Runs once for each item of the list, as {{item}}.", &kItems,
     "Outputs.OfLoopsAreLists"},
    field<&Step::with_param>("withParam", "The same for the items of a JSON list, mostly an output of an earlier one.",
                             "Rules.GiveTheNodes"),
    {"withSequence", Handling::kRead,
     [](const Place& place, Step& out) { read_object<Sequence>(place, out.with_sequence.emplace(), kSequenceFields); },
     "The same for numbers.", &kObject<kSequenceTable>, "Rules.GiveTheNodes"},
    field<&Step::when>("when", "Runs only when this condition is true: \"{{steps.flip.outputs.result}} == heads\".",
                       "Rules.GiveTheNodes"),
    {"continueOn", Handling::kRead,
     [](const Place& place, Step& out) { read_object<ContinueOn>(place, out.continue_on, kContinueOnFields); },
     "Which of its failures do not hold back what follows.", &kObject<kContinueOnTable>, "Rules.GiveTheNodes"},
    {"onExit", Handling::kRead, [](const Place& place, Step& out) { read_on_exit(place, out.exit); },
     "A template that runs when it has ended; `hooks.exit` does the same and more.", &kString,
     "Exit.AStepsHandlerIsItsChildAndHoldsTheGroup"},
    {"hooks", Handling::kRead, [](const Place& place, Step& out) { read_hooks(place, out.exit, out.hooks); },
     "Templates that run when their expressions are true; `exit` when it has ended.",
     &kObject<kHookTable, Shape::Around::kMap>, "Hooks.Rules"},
    field<&Step::dependencies>("dependencies", "Tasks that must have succeeded before. Not beside `depends`.",
                               "Rules.GiveTheNodes"),
    field<&Step::depends>("depends", "What must have happened before: \"a && (b.Failed || c.Skipped)\".",
                          "Rules.GiveTheNodes"),
};
constexpr std::span<const Field<Step>> kStepFields = std::span(kTaskFields).first(std::size(kTaskFields) - 2);
constexpr FieldTable kTaskTable("DAGTask", kTaskFields);

void read_step(const Place& place, Step& out) {
  read_object<Step>(place, out, kStepFields);
}

constexpr Field<Dag> kDagFields[] = {
    field<&Dag::target>("target", "Only these tasks, and those that they wait for; names with spaces between.",
                        "Rules.GiveTheNodes"),
    field<&Dag::fail_fast>("failFast", "A failed task keeps others from starting; true without a word.",
                           "Rules.GiveTheNodes"),
    {"tasks", Handling::kRead,
     [](const Place& place, Dag& out) {
       if (!expect_array(place)) return;
       const doc::Array& tasks = place.value().get_array();
       for (std::size_t i = 0; i < tasks.size(); ++i) {
         read_object<Step>(place.element(i, tasks[i]), out.tasks.emplace_back(), kTaskFields);
       }
     },
     "The tasks; one starts when what it waits for has happened.", &kObject<kTaskTable, Shape::Around::kList>,
     "Rules.GiveTheNodes"},
};

}  // namespace

constexpr FieldTable kTemplateRefTable("TemplateRef", kTemplateRefFields);
constexpr FieldTable kHookTable("LifecycleHook", kHookFields);
constexpr FieldTable kStepTable("WorkflowStep", kStepFields);
constexpr FieldTable kDagTable("DAGTemplate", kDagFields);

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

void read(const Place& place, Dag& out) {
  read_object<Dag>(place, out, kDagFields);
}

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

}  // namespace tiphys::api
