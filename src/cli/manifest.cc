#include "cli/manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "api/cron_workflow.h"
#include "api/join.h"
#include "api/parse.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "cli/flags.h"
#include "cluster/pod_annotations.h"

namespace tiphys::cli {
namespace {

constexpr std::size_t kMostManifestBytes = 64 * 1024 * 1024;

/// "a=1,b=2"; "no label" when there is none.
Status merge_labels(doc::Object& metadata, std::string_view text) {
  doc::Object& labels = doc::ensure_object(metadata, "labels");
  for (const auto part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || trim(part.substr(0, equals)).empty()) {
      return fail(Code::kInvalidArgument, fmt::format("--labels: \"{}\" does not have the form NAME=VALUE", part));
    }
    labels[trim(part.substr(0, equals))] = trim(part.substr(equals + 1));
  }
  return {};
}

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

Status set_parameters(doc::Value& workflow, const std::vector<std::string>& parameters) {
  for (const auto& parameter : parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos) {
      return fail(Code::kInvalidArgument,
                  fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", parameter));
    }
    api::set_argument(workflow, std::string_view(parameter).substr(0, equals),
                      std::string_view(parameter).substr(equals + 1));
  }
  return {};
}

/// A file as messages name it.
std::string shown(const std::string& file) {
  return file == "-" ? "stdin" : file;
}

/// The kind of a document that is no workflow and yet a Kubernetes object; "" when it is none.
std::string_view other_kind(const doc::Value& document) {
  const std::string_view kind = doc::find_string(document, "kind");
  return kind == "Workflow" || doc::find_string(document, "apiVersion").empty() ? std::string_view() : kind;
}

/// The findings of a workflow that holds all that the plane adds: what is wrong with it alone may be right then, and
/// the other way round. Those that it has alone keep their places.
void judge_with_defaults(const doc::Value& workflow, const doc::Value& defaults, std::vector<api::Finding>& findings) {
  const auto whole = api::with_workflow_defaults(workflow, defaults);
  if (!whole) return;  // so is the workflow alone
  std::vector<api::Finding> completed;
  api::check_document(*whole, completed);
  const auto is_in = [](const std::vector<api::Finding>& list, const api::Finding& wanted) {
    return std::ranges::find(list, wanted.message, &api::Finding::message) != list.end();
  };
  std::erase_if(findings, [&](const api::Finding& finding) { return !is_in(completed, finding); });
  for (api::Finding& finding : completed) {
    if (!finding.is_error() || is_in(findings, finding)) continue;
    finding.pointer = "/spec";
    finding.message += " (with workflowDefaults)";
    findings.push_back(std::move(finding));
  }
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
  if (!workflow.is_object()) return {};  // validation says what is wrong with it
  doc::Object& root = workflow.get_object();
  doc::Object& metadata = doc::ensure_object(root, "metadata");
  if (doc::find_string(workflow, "metadata", "namespace").empty()) metadata["namespace"] = options.ns;
  if (!options.labels.empty()) TIPHYS_CHECK_OK(merge_labels(metadata, options.labels));
  if (!options.scheduled_time.empty()) {
    if (!parse_rfc3339(options.scheduled_time)) {
      return fail(Code::kInvalidArgument,
                  "scheduled-time contains invalid time.RFC3339 format. (e.g.: `2006-01-02T15:04:05-07:00`)");
    }
    doc::ensure_object(metadata, "annotations")["workflows.argoproj.io/scheduled-time"] = options.scheduled_time;
  }
  if (!options.generate_name.empty()) metadata["generateName"] = options.generate_name;
  if (!options.name.empty()) metadata["name"] = options.name;

  if (!options.parameter_file.empty()) TIPHYS_CHECK_OK(set_parameter_file(workflow, options.parameter_file));
  TIPHYS_CHECK_OK(set_parameters(workflow, options.parameters));
  const bool changes_spec =
      !options.entrypoint.empty() || !options.service_account.empty() || options.priority || !options.runtime.empty();
  if (!changes_spec) return {};
  doc::Object& spec = doc::ensure_object(root, "spec");
  if (!options.entrypoint.empty()) spec["entrypoint"] = options.entrypoint;
  if (!options.service_account.empty()) spec["serviceAccountName"] = options.service_account;
  if (options.priority) spec["priority"] = *options.priority;
  if (!options.runtime.empty()) {
    doc::ensure_object(doc::ensure_object(spec, "podMetadata"), "annotations")[cluster::kRuntimeAnnotation] =
        options.runtime;
  }
  return {};
}

Status check_manifest(const Manifest& manifest, std::string& notes, const doc::Shared& defaults) {
  std::vector<api::Finding> findings;
  api::check_document(manifest.workflow, findings);
  if (defaults && doc::find_string(manifest.workflow, "kind") == cluster::kWorkflows.kind) {
    judge_with_defaults(manifest.workflow, *defaults, findings);
  }
  if (findings.empty()) return {};
  const std::string text = api::render_findings(findings, manifest.marks);
  if (api::any_error(findings)) return fail(Code::kInvalidArgument, text);
  notes += text;
  return {};
}

Result<Manifests> prepare_workflows(const std::vector<std::string>& files, const SubmitOptions& options,
                                    const doc::Shared& defaults) {
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
    if (const Status checked = check_manifest(manifest, manifests.notes, defaults); !checked)
      errors += checked.error().message;
  }
  if (!errors.empty()) return fail(Code::kInvalidArgument, manifests.notes + errors);
  return manifests;
}

}  // namespace tiphys::cli
