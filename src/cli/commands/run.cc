// tiphys run: a plane for the length of one command.
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "cli/commands/common.h"
#include "cli/commands/follow_command.h"
#include "cli/commands/output.h"
#include "cli/manifest.h"
#include "cli/template_source.h"
#include "cli/terminal.h"
#include "cluster/generated_name.h"
#include "cluster/pod_annotations.h"

namespace tiphys::cli {
namespace {

constexpr int kLeft = 130;  // as shells count Ctrl-C

struct RunFlags {
  CommonFlags common;
  SubmitOptions submit;
  std::vector<std::string> files;
  std::string output, status, node_selector;
  bool detach = false;

  void add_to(Flags& flags) {
    flags.positional("FILE", files, 1, 1000);
    submit.add_to(flags);
    add_plane_flags(flags, common.session);
    flags.choice("-o,--output", output, {"name", "json", "yaml", "wide"}, "Output format");
    flags.flag("-d,--detach", detach, "Leave once they are created: `tiphys up` runs them");
    add_node_filter(flags, status, node_selector);
    common.add_to(flags);
  }
};

bool mentions_image(const doc::Value& value, int depth = 0) {
  if (depth > 8) return false;
  if (const doc::Object* object = value.if_object()) {
    for (const auto& entry : *object) {
      if (entry.key() == "image" || mentions_image(entry.value(), depth + 1)) return true;
    }
  } else if (const doc::Array* array = value.if_array()) {
    for (const auto& element : *array) {
      if (mentions_image(element, depth + 1)) return true;
    }
  }
  return false;
}

/// True when the workflow itself, or the command line, asks for the process runtime.
bool runs_in_process(const doc::Value& workflow) {
  return doc::find_string(workflow, "spec", "podMetadata", "annotations", cluster::kRuntimeAnnotation) == "process";
}

/// A name of our own for each run: creating it again after a lost connection makes no second one.
void choose_name(doc::Value& workflow) {
  if (!doc::find_string(workflow, "metadata", "name").empty()) return;
  SystemRandom random;
  const std::string prefix(cluster::name_prefix(doc::find_string(workflow, "metadata", "generateName")));
  doc::ensure_object(workflow.get_object(), "metadata")["name"] = prefix + make_name_suffix(random);
}

/// Creates a workflow on the plane, finding the plane anew when its process ends in between.
Result<cluster::Key> create(std::unique_ptr<Session>& session, const SessionOptions& options,
                            const doc::Value& workflow) {
  cluster::Key key{&cluster::kWorkflows, std::string(doc::find_string(workflow, "metadata", "namespace")),
                   std::string(doc::find_string(workflow, "metadata", "name"))};
  for (bool again = false;; again = true) {
    const auto created = await<cluster::Object>(
        session->loop(), [&](auto done) { session->cluster().create(cluster::kWorkflows, workflow, std::move(done)); });
    if (created || (again && created.error().code == Code::kAlreadyExists)) return key;
    const bool lost = created.error().code == Code::kUnavailable && session->remote() && session->local();
    if (!lost) return std::unexpected(created.error());
    Loop& loop = session->loop();
    session.reset();
    TIPHYS_TRY(session, open_session(loop, options, Need::kRun));
  }
}

/// What the workflows read and use, as it is in the files now; a claim that exists keeps its storage.
Status create_objects(Session& session, const std::vector<Manifest>& objects) {
  for (const Manifest& manifest : objects) {
    const cluster::Resource& resource = *object_resource(manifest.workflow);
    const bool claim = &resource == &cluster::kPersistentVolumeClaims;
    const auto put = put_object(session, resource, manifest.workflow, !claim);
    if (put || (claim && put.error().code == Code::kAlreadyExists)) continue;
    return std::unexpected(
        put.error().in(fmt::format("{}:{}: {} \"{}\"", manifest.marks.file(), manifest.marks.value("/kind").line,
                                   resource.kind, doc::find_string(manifest.workflow, "metadata", "name"))));
  }
  return {};
}

/// The templates of the files, as they are there now; what refers to them or to others of the plane is checked before.
Status create_templates(Session& session, const Manifests& manifests, const PlaneRules& rules) {
  for (const auto* list : {&manifests.templates, &manifests.workflows}) {
    for (const Manifest& manifest : *list) {
      TIPHYS_CHECK_OK(check_references(session, manifest, manifests.templates, rules));
    }
  }
  for (const Manifest& tmpl : manifests.templates) {
    TIPHYS_TRY([[maybe_unused]] const auto put, put_template(session, tmpl.workflow, true));
  }
  return {};
}

Result<int> follow(std::unique_ptr<Session>& session, const RunFlags& flags, const std::vector<cluster::Key>& keys,
                   Time created) {
  TIPHYS_TRY(NodeSelector selector, NodeSelector::parse(flags.node_selector, flags.status));
  Loop& loop = session->loop();
  const Style style = flags.common.style();
  std::unique_ptr<RunView> view;
  LiveView* live = nullptr;
  if (!flags.output.empty() && flags.output != "wide") {
    view = make_end_view(true);
  } else if (can_redraw()) {
    auto made = make_live_view(loop, style, std::move(selector));
    live = made.get();
    view = std::move(made);
  } else {
    view = make_line_view(loop, style, std::move(selector));
  }
  Following following(loop, keys, *view, created);
  auto outcome = follow_to_end(session, flags.common.session, following, *view, live, Interrupt::kStopRuns);
  view->end();
  if (!outcome) return std::unexpected(std::move(outcome).error());
  if (outcome->left) {
    print_error(
        "Left. Steps that run go on under the supervisor; `tiphys up`, or the next `tiphys run`, adopts them.\n");
    return kLeft;
  }
  for (const auto& run : following.runs()) {
    if (flags.output.empty() || flags.output == "wide") {
      print(closing_report(*session, run, style));
    } else if (!run.deleted) {
      TIPHYS_CHECK_OK(print_workflow(*session, run.key, {.output = flags.output, .selector = {}, .style = style}));
    }
  }
  return outcome->succeeded ? kSucceeded : kFailed;
}

Result<int> leave(Session& session, const RunFlags& flags, const std::vector<cluster::Key>& keys) {
  for (const cluster::Key& key : keys) {
    TIPHYS_CHECK_OK(
        print_workflow(session, key, {.output = flags.output, .selector = {}, .style = flags.common.style()}));
  }
  return kSucceeded;
}

Result<int> run_workflows(RunFlags& flags) {
  TIPHYS_CHECK_OK(check_plane_flags(flags.common.session));
  flags.common.session.ours = true;
  flags.submit.ns = flags.common.chosen_namespace();
  flags.submit.runtime = flags.common.session.runtime;
  flags.submit.warm_python = flags.common.session.warm_python;
  Loop loop;
  TIPHYS_TRY(const PlaneRules rules, plane_rules(loop, flags.common.session));
  auto manifests = prepare_workflows(flags.files, flags.submit, rules);
  if (!manifests) {
    print_error(manifests.error().message + (manifests.error().message.ends_with('\n') ? "" : "\n"));
    return kBadUsage;
  }
  print_error(manifests->notes);
  const auto has_image = [](const Manifest& manifest) { return mentions_image(manifest.workflow); };
  const bool image_in_template = std::ranges::any_of(manifests->templates, has_image);
  const bool unused_image = std::ranges::any_of(manifests->workflows, [&](const Manifest& manifest) {
    return runs_in_process(manifest.workflow) && (image_in_template || has_image(manifest));
  });
  if (unused_image) print_error("The process runtime runs commands of this host: image is not used.\n");
  TIPHYS_TRY(auto session, open_session(loop, flags.common.session, Need::kRun));
  const SessionOptions& wanted = flags.common.session;
  if (flags.detach && !session->remote()) {
    return fail(Code::kFailedPrecondition,
                "--detach leaves the workflows to the process that runs the plane, and none does: start `tiphys up`");
  }
  if (session->remote() &&
      (wanted.offline || !wanted.engine.empty() || !wanted.host_paths.empty() || !wanted.program_paths.empty())) {
    print_error(
        "Another process runs this plane: its --offline, --engine, --host-path and --program-path hold, not this "
        "one's.\n");
  }
  const Status put = create_templates(*session, *manifests, rules);
  if (!put) return report_findings(put.error());
  TIPHYS_CHECK_OK(create_objects(*session, manifests->objects));
  const Time created = loop.now();
  std::vector<cluster::Key> keys;
  for (auto& manifest : manifests->workflows) {
    choose_name(manifest.workflow);
    TIPHYS_TRY(auto key, create(session, flags.common.session, manifest.workflow));
    keys.push_back(std::move(key));
  }
  return flags.detach ? leave(*session, flags, keys) : follow(session, flags, keys, created);
}

}  // namespace

int run_command(const Arguments& arguments) {
  Flags flags("run", "Run workflows here and now, and follow them to their end",
              "  tiphys run hello.yaml --runtime process\n  tiphys run train.yaml -p epochs=3 -p rate=0.1\n  cat "
              "wf.yaml | tiphys run -\n  tiphys run --detach wf.yaml\n");
  RunFlags run_flags;
  run_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("run", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = run_workflows(run_flags);
  return code ? *code : report("run", code.error());
}

}  // namespace tiphys::cli
