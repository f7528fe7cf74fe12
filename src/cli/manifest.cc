#include "cli/manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "api/cron_workflow.h"
#include "api/parse.h"
#include "argo/judge.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "cli/flags.h"

namespace tiphys::cli {
namespace {

constexpr std::size_t kMostManifestBytes = 64 * 1024 * 1024;

Status set_parameter_file(doc::Value& workflow, const std::string& file) {
  TIPHYS_TRY(const std::string text, read_text(file));
  TIPHYS_TRY(const auto documents, doc::parse_yaml(text, file));
  for (const auto& document : documents) {
    if (!document.root.is_object()) {
      return fail(Code::kInvalidArgument,
                  document.marks.render(document.marks.value(""), "a parameter file is a map of names to values"));
    }
    for (const auto& [name, value] : document.root.get_object())
      api::set_argument(workflow, name, doc::scalar_text(value));
  }
  return {};
}

/// A file as messages name it.
std::string shown(const std::string& file) {
  return file == "-" ? "stdin" : file;
}

/// What no plane can read: unknown fields of a kind that is known here.
argo::Findings unreadable(const doc::Value& document) {
  argo::Findings findings;
  if (doc::find_string(document, "kind") == cluster::kCronWorkflows.kind) {
    api::parse_cron_workflow(document, findings);
  } else {
    api::parse_workflow(document, findings);
  }
  std::erase_if(findings, [](const api::Finding& finding) { return !finding.unknown_field; });
  return findings;
}

/// The kind of a document that is no workflow and yet a Kubernetes object; "" when it is none.
std::string_view other_kind(const doc::Value& document) {
  const std::string_view kind = doc::find_string(document, "kind");
  return kind == "Workflow" || doc::find_string(document, "apiVersion").empty() ? std::string_view() : kind;
}

}  // namespace

void SubmitOptions::add_to(Flags& flags) {
  add_spec_flags(flags);
  flags.text("--scheduled-time", scheduled_time, "TIME", "Override the workflow's scheduledTime (RFC 3339)");
}

void SubmitOptions::add_spec_flags(Flags& flags) {
  flags.list("-p,--parameter", parameters, "NAME=VALUE", "Pass an input parameter; may be repeated");
  flags.text("-f,--parameter-file", parameter_file, "FILE", "Take all input parameters from a YAML or JSON file");
  flags.text("--name", name, "NAME", "Override metadata.name");
  flags.text("--generate-name", generate_name, "PREFIX", "Override metadata.generateName");
  flags.text("--entrypoint", entrypoint, "TEMPLATE", "Override the entrypoint");
  flags.text("-l,--labels", labels, "NAME=VALUE,...", "Labels to set on the workflow");
  flags.text("--serviceaccount", service_account, "NAME", "Override the service account of the pods");
  flags.number("--priority", priority, "N", "Workflow priority");
}

Result<std::string> read_text(const std::string& file) {
  UniqueFd opened;
  if (file != "-") {
    opened.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return fail_errno(file, errno);
  }
  const int fd = file == "-" ? STDIN_FILENO : opened.get();
  std::string text;
  char part[64 * 1024];
  for (;;) {
    const ssize_t count = ::read(fd, part, sizeof part);
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(file, errno);
    text.append(part, static_cast<std::size_t>(count));
    if (text.size() > kMostManifestBytes) return fail(Code::kInvalidArgument, file + ": larger than 64 MiB");
  }
}

Result<Manifests> read_manifests(const std::vector<std::string>& files) {
  Manifests manifests;
  for (const auto& file : files) {
    TIPHYS_TRY(const std::string text, read_text(file));
    TIPHYS_TRY(auto documents, doc::parse_yaml(text, shown(file)));
    for (auto& document : documents) {
      if (template_resource(document.root)) {
        manifests.templates.push_back({std::move(document.root), std::move(document.marks)});
        continue;
      }
      if (object_resource(document.root)) {
        manifests.objects.push_back({std::move(document.root), std::move(document.marks)});
        continue;
      }
      if (doc::find_string(document.root, "kind") == cluster::kCronWorkflows.kind) {
        manifests.crons.push_back({std::move(document.root), std::move(document.marks)});
        continue;
      }
      if (const auto kind = other_kind(document.root); !kind.empty()) {
        const auto place = document.marks.value("/kind");
        manifests.notes += fmt::format("{}:{}: a {} is not run; left out\n", document.marks.file(), place.line, kind);
        continue;
      }
      manifests.workflows.push_back({std::move(document.root), std::move(document.marks)});
    }
  }
  return manifests;
}

const cluster::Resource* template_resource(const doc::Value& document) {
  const std::string_view kind = doc::find_string(document, "kind");
  for (const auto* resource : {&cluster::kWorkflowTemplates, &cluster::kClusterWorkflowTemplates}) {
    if (resource->kind == kind) return resource;
  }
  return nullptr;
}

const cluster::Resource* object_resource(const doc::Value& document) {
  const auto* resource =
      cluster::find_resource(doc::find_string(document, "apiVersion"), doc::find_string(document, "kind"));
  const bool taken = resource == &cluster::kConfigMaps || resource == &cluster::kSecrets ||
                     resource == &cluster::kPersistentVolumeClaims;
  return taken ? resource : nullptr;
}

void set_namespace(doc::Value& object, const std::string& ns) {
  if (template_resource(object) == &cluster::kClusterWorkflowTemplates ||
      !doc::find_string(object, "metadata", "namespace").empty())
    return;
  doc::ensure_object(object.as_object(), "metadata")["namespace"] = ns;
}

Status apply_options(doc::Value& workflow, const SubmitOptions& options) {
  // What is given one by one goes before the file.
  if (workflow.is_object() && !options.parameter_file.empty()) {
    TIPHYS_CHECK_OK(set_parameter_file(workflow, options.parameter_file));
  }
  return argo::apply_options(workflow, options);
}

Result<doc::Object> submit_options(const SubmitOptions& options) {
  std::vector<std::string> parameters;
  if (!options.parameter_file.empty()) {
    doc::Value named = doc::Object();
    TIPHYS_CHECK_OK(set_parameter_file(named, options.parameter_file));
    const doc::Value* list = doc::find(named, "spec", "arguments", "parameters");
    for (const doc::Value& each : list && list->is_array() ? list->get_array() : doc::Array()) {
      parameters.push_back(fmt::format("{}={}", doc::find_string(each, "name"), doc::find_string(each, "value")));
    }
  }
  // What is given one by one goes before the file.
  parameters.insert(parameters.end(), options.parameters.begin(), options.parameters.end());
  doc::Object message;
  const std::pair<const char*, const std::string&> texts[] = {{"name", options.name},
                                                              {"generateName", options.generate_name},
                                                              {"entryPoint", options.entrypoint},
                                                              {"serviceAccount", options.service_account},
                                                              {"labels", options.labels}};
  for (const auto& [field, value] : texts) {
    if (!value.empty()) message[field] = value;
  }
  if (!options.scheduled_time.empty()) {
    message["annotations"] = "workflows.argoproj.io/scheduled-time=" + options.scheduled_time;
  }
  if (!parameters.empty()) message["parameters"] = doc::Array(parameters.begin(), parameters.end());
  if (options.priority) message["priority"] = *options.priority;
  return message;
}

Status check_manifest(const Manifest& manifest, std::string& notes, const PlaneRules& rules) {
  const argo::Findings findings =
      rules.form_alone ? unreadable(manifest.workflow) : argo::judge_alone(manifest.workflow, rules.defaults);
  if (findings.empty()) return {};
  const std::string text = api::render_findings(findings, manifest.marks);
  if (api::any_error(findings)) return fail(Code::kInvalidArgument, text);
  notes += text;
  return {};
}

Result<Manifests> prepare_workflows(const std::vector<std::string>& files, const SubmitOptions& options,
                                    const PlaneRules& rules) {
  TIPHYS_TRY(Manifests manifests, read_manifests(files));
  for (const auto& cron : manifests.crons) {
    manifests.notes += fmt::format("{}:{}: a CronWorkflow is not run; left out: `tiphys cron create` creates it\n",
                                   cron.marks.file(), cron.marks.value("/kind").line);
  }
  if (manifests.workflows.empty()) {
    std::vector<std::string> names;
    for (const auto& file : files) names.push_back(shown(file));
    return fail(Code::kInvalidArgument,
                manifests.notes + fmt::format("{}: no workflow found in given files", join(names, ", ")));
  }
  if (manifests.workflows.size() > 1 && !options.name.empty()) {
    return fail(Code::kInvalidArgument, "--name names one workflow, but the files hold several; use --generate-name");
  }
  std::string errors;
  for (auto& manifest : manifests.objects) set_namespace(manifest.workflow, options.ns);
  for (auto& manifest : manifests.templates) {
    set_namespace(manifest.workflow, options.ns);
    if (const Status checked = check_manifest(manifest, manifests.notes); !checked) errors += checked.error().message;
  }
  for (auto& manifest : manifests.workflows) {
    TIPHYS_CHECK_OK(apply_options(manifest.workflow, options));
    if (const Status checked = check_manifest(manifest, manifests.notes, rules); !checked)
      errors += checked.error().message;
  }
  if (!errors.empty()) return fail(Code::kInvalidArgument, manifests.notes + errors);
  return manifests;
}

}  // namespace tiphys::cli
