// tiphys submit: creates workflows and, if asked, waits for them.
#include <fmt/format.h>

#include "argo/ask.h"
#include "cli/commands/common.h"
#include "cli/commands/output.h"
#include "cli/commands/stay.h"
#include "cli/manifest.h"
#include "cli/template_source.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

struct SubmitFlags {
  CommonFlags common;
  SubmitOptions submit;
  std::vector<std::string> files;
  StayFlags stay;
  std::string output, from;
  bool strict = true, dry_run = false, server_dry_run = false;

  void add_to(Flags& flags) {
    flags.positional("FILE", files, 0, 1000);
    submit.add_to(flags);
    flags.choice("-o,--output", output, {"name", "json", "yaml", "wide"}, "Output format");
    stay.add_to(flags);
    flags.flag("--dry-run", dry_run, "Change the workflow as asked and print it, without creating it");
    flags.flag("--server-dry-run", server_dry_run, "The same");
    flags.flag("--strict", strict, "Validate strictly (always so)");
    flags.text("--from", from, "KIND/NAME", "Submit from an existing object");
    add_node_filter(flags, stay.status, stay.node_selector);  // with --watch
    add_plane_flags(flags, common.session);
    common.add_to(flags);
  }

  bool dry() const { return dry_run || server_dry_run; }
  bool quiet() const { return !output.empty() && output != "wide"; }
  OutputOptions shown() const { return {.output = output, .selector = {}, .style = common.style()}; }
};

Status check(const SubmitFlags& flags, std::size_t workflows) {
  const auto bad = [](std::string message) { return fail(Code::kInvalidArgument, std::move(message)); };
  const bool dry = flags.dry();
  TIPHYS_CHECK_OK(flags.stay.check(workflows));
  if (flags.stay.watch && dry) return bad("--watch cannot be combined with --dry-run");
  if (flags.stay.wait && dry) return bad("--wait cannot be combined with --dry-run");
  if (flags.dry_run && flags.server_dry_run) return bad("--dry-run cannot be combined with --server-dry-run");
  if (dry && flags.output.empty()) return bad("--dry-run should have an output option");
  return {};
}

/// `cron` is the CronWorkflow that --from names, null when it names a template.
Result<Manifests> prepare_from(const SubmitFlags& flags, const cluster::Object& cron, Time now,
                               const PlaneRules& rules) {
  Manifests manifests;
  if (cron) {
    manifests.workflows.push_back(workflow_from(*cron, now));
  } else {
    TIPHYS_TRY(manifests.workflows.emplace_back(), workflow_from(flags.from));
  }
  TIPHYS_CHECK_OK(apply_options(manifests.workflows.front().workflow, flags.submit));
  TIPHYS_CHECK_OK(check_manifest(manifests.workflows.front(), manifests.notes, rules));
  return manifests;
}

/// What submit does not create; argo passes it over too.
std::string passed_over(const Manifests& manifests) {
  std::string notes;
  for (const Manifest& tmpl : manifests.templates) {
    notes += fmt::format("{}:{}: a {} is not submitted; left out: `tiphys template create` creates it\n",
                         tmpl.marks.file(), tmpl.marks.value("/kind").line, doc::find_string(tmpl.workflow, "kind"));
  }
  for (const Manifest& object : manifests.objects) {
    notes += fmt::format("{}:{}: a {} is not submitted; left out: `tiphys run` creates it\n", object.marks.file(),
                         object.marks.value("/kind").line, doc::find_string(object.workflow, "kind"));
  }
  return notes;
}

/// A server makes the workflow of what --from names.
Result<int> submit_there(Loop& loop, SubmitFlags& flags) {
  TIPHYS_CHECK_OK(check(flags, 1));
  const auto slash = flags.from.find('/');
  if (slash == std::string::npos || slash + 1 == flags.from.size()) {
    return std::unexpected(workflow_from(flags.from).error());  // which says how it looks
  }
  TIPHYS_TRY(auto session, open_session(loop, flags.common.session, Need::kRun));
  TIPHYS_TRY(doc::Object options, submit_options(flags.submit));
  if (flags.dry_run) options["dryRun"] = true;
  if (flags.server_dry_run) options["serverDryRun"] = true;
  const auto made = ask(*session, argo::kWorkflowService, "SubmitWorkflow",
                        {{"namespace", flags.submit.ns},
                         {"resourceKind", flags.from.substr(0, slash)},
                         {"resourceName", flags.from.substr(slash + 1)},
                         {"submitOptions", std::move(options)}});
  if (!made) return std::unexpected(made.error().in("failed to submit workflow"));
  TIPHYS_TRY(const auto text, render_workflow(*made, flags.shown(), loop.now()));
  print(text);
  if (flags.dry()) return kSucceeded;
  return stay(session, flags.common, flags.stay, flags.quiet(), {workflow_key(*made)});
}

/// --server-dry-run: a server tells what it would make.
Result<int> try_there(Loop& loop, const SubmitFlags& flags, const Manifests& manifests) {
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  for (const Manifest& manifest : manifests.workflows) {
    const auto tried = ask(*session, argo::kWorkflowService, "CreateWorkflow",
                           {{"namespace", doc::find_string(manifest.workflow, "metadata", "namespace")},
                            {"workflow", manifest.workflow},
                            {"serverDryRun", true},
                            {"createOptions", doc::Object{{"dryRun", doc::Array{"All"}}}}});
    if (!tried) return std::unexpected(tried.error().in("failed to submit workflow"));
    TIPHYS_TRY(const auto text, render_workflow(*tried, flags.shown(), loop.now()));
    print(text);
  }
  return kSucceeded;
}

Result<int> submit(SubmitFlags& flags) {
  if (!flags.from.empty() && !flags.files.empty()) {
    return fail(Code::kInvalidArgument, "cannot combine --from with file arguments");
  }
  if (flags.from.empty() && flags.files.empty()) return fail(Code::kInvalidArgument, "FILE is missing");
  flags.submit.ns = flags.common.chosen_namespace();
  TIPHYS_CHECK_OK(check_plane_flags(flags.common.session));
  flags.submit.runtime = flags.common.session.runtime;
  flags.submit.warm_python = flags.common.session.warm_python;
  if (!flags.common.instance_id.empty()) {
    flags.submit.labels +=
        fmt::format("{}{}={}", flags.submit.labels.empty() ? "" : ",", kInstanceLabel, flags.common.instance_id);
  }
  Loop loop;
  TIPHYS_TRY(const PlaneRules rules, plane_rules(loop, flags.common.session));
  std::unique_ptr<Session> session;
  cluster::Object cron;
  const auto key = cron_workflow_of(flags.from, flags.submit.ns);
  if (rules.form_alone && !flags.from.empty()) return submit_there(loop, flags);
  if (key) {
    TIPHYS_TRY(session, open_session(loop, flags.common.session, flags.dry() ? Need::kRead : Need::kRun));
    TIPHYS_TRY(cron, get_object(*session, *key));
  }
  auto manifests = flags.from.empty() ? prepare_workflows(flags.files, flags.submit, rules)
                                      : prepare_from(flags, cron, loop.now(), rules);
  if (!manifests) {
    print_error(manifests.error().message + (manifests.error().message.ends_with('\n') ? "" : "\n"));
    return kBadUsage;
  }
  TIPHYS_CHECK_OK(check(flags, manifests->workflows.size()));
  print_error(manifests->notes + passed_over(*manifests));
  const OutputOptions output = flags.shown();
  if (flags.server_dry_run && rules.form_alone) return try_there(loop, flags, *manifests);
  if (flags.dry()) {
    for (const auto& manifest : manifests->workflows) {
      TIPHYS_TRY(const auto text, render_workflow(manifest.workflow, output, loop.now()));
      print(text);
    }
    return kSucceeded;
  }
  if (!session) {
    TIPHYS_TRY(session, open_session(loop, flags.common.session, Need::kRun));
  }
  for (const auto& manifest : manifests->workflows) {
    const Status checked = check_references(*session, manifest, {}, rules);
    if (!checked) return report_findings(checked.error());
  }
  std::vector<cluster::Key> keys;
  for (auto& manifest : manifests->workflows) {
    const auto created = await<cluster::Object>(loop, [&](auto done) {
      session->cluster().create(cluster::kWorkflows, std::move(manifest.workflow), std::move(done));
    });
    if (!created) return std::unexpected(created.error().in("failed to submit workflow"));
    TIPHYS_TRY(const auto text, render_workflow(**created, output, loop.now()));
    print(text);
    keys.push_back(workflow_key(**created));
  }
  return stay(session, flags.common, flags.stay, flags.quiet(), keys);
}

}  // namespace

int submit_command(const Arguments& arguments) {
  Flags flags("submit", "Submit workflows",
              "  tiphys submit my-wf.yaml\n  tiphys submit --from workflowtemplate/my-tmpl -p message=hi\n  tiphys "
              "submit --from "
              "cronwf/my-cron-wf\n  tiphys "
              "submit --wait my-wf.yaml\n  tiphys submit --watch my-wf.yaml -p "
              "message=hi\n  cat my-wf.yaml | tiphys submit -\n");
  SubmitFlags submit_flags;
  submit_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("submit", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = submit(submit_flags);
  return code ? *code : report("submit", code.error());
}

}  // namespace tiphys::cli
