// tiphys cp.
#include <fmt/format.h>

#include <filesystem>

#include "api/artifact_location.h"
#include "artifact/file_tree.h"
#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

struct CpFlags {
  CommonFlags common;
  std::vector<std::string> words;
  std::string node, pod_template, artifact;
  std::string path = "{namespace}/{workflowName}/{nodeId}/outputs/{artifactName}";

  void add_to(Flags& flags) {
    flags.positional("WORKFLOW DIR", words, 2, 2);
    flags.text("--node-id", node, "ID", "Only of this node");
    flags.text("--template-name", pod_template, "NAME", "Only of nodes of this template");
    flags.text("--artifact-name", artifact, "NAME", "Only artifacts of this name");
    flags.text("--path", path, "PATH",
               "Where each goes below DIR, with {namespace}, {workflowName}, {nodeId}, {templateName} and "
               "{artifactName}");
    common.add_to(flags);
  }
};

/// One output, and the folder that it goes to.
struct Output {
  argo::ArtifactName name;
  std::string folder;
  std::string file;  ///< what it is called there
};

/// Names come from a server; none leads out of the folder that the user gave.
Status check_name(std::string_view name) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
  return plain ? Status() : fail(Code::kDataLoss, fmt::format("\"{}\" is no name for a folder or file", name));
}

std::string last_part(const doc::Value& artifact) {
  const std::string kind(api::location_kind(artifact.get_object()));
  std::string key = kind.empty() ? "" : api::location_key(kind, artifact.at(kind));
  while (key.ends_with('/')) key.pop_back();
  const std::string last = key.substr(key.rfind('/') + 1);
  return last.empty() ? std::string(doc::find_string(artifact, "name")) : last;
}

Result<Output> output_of(const CpFlags& flags, const cluster::Key& workflow, std::string_view id,
                         const doc::Value& node, const doc::Value& artifact) {
  Output output{.name = {.ns = workflow.ns,
                         .workflow = workflow.name,
                         .node = std::string(id),
                         .artifact = std::string(doc::find_string(artifact, "name"))},
                .folder = flags.path,
                .file = last_part(artifact)};
  const std::pair<std::string_view, std::string_view> variables[] = {
      {"{templateName}", doc::find_string(node, "templateName")},
      {"{namespace}", output.name.ns},
      {"{workflowName}", output.name.workflow},
      {"{nodeId}", output.name.node},
      {"{artifactName}", output.name.artifact}};
  for (const auto& [variable, value] : variables) {
    const auto at = output.folder.find(variable);
    if (at == output.folder.npos) continue;
    TIPHYS_CHECK_OK(check_name(value));
    output.folder.replace(at, variable.size(), value);
  }
  TIPHYS_CHECK_OK(check_name(output.file));
  output.folder = flags.words[1] + "/" + output.folder;
  return output;
}

Result<std::vector<Output>> find_outputs(const CpFlags& flags, const cluster::Key& key, const doc::Value& workflow) {
  std::vector<Output> outputs;
  const doc::Value* nodes = doc::find(workflow, "status", "nodes");
  if (!nodes || !nodes->is_object()) return outputs;
  for (const auto& [id, node] : nodes->get_object()) {
    const doc::Value* artifacts = doc::find(node, "outputs", "artifacts");
    if (!artifacts || !artifacts->is_array()) continue;
    if (!flags.node.empty() && flags.node != std::string_view(id)) continue;
    if (!flags.pod_template.empty() && flags.pod_template != doc::find_string(node, "templateName")) continue;
    for (const doc::Value& artifact : artifacts->get_array()) {
      if (!artifact.is_object()) continue;
      if (!flags.artifact.empty() && flags.artifact != doc::find_string(artifact, "name")) continue;
      TIPHYS_TRY(Output output, output_of(flags, key, id, node, artifact));
      outputs.push_back(std::move(output));
    }
  }
  return outputs;
}

Status make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return error ? fail_errno(path, error.value()) : Status();
}

/// Puts a file there in place of one that is there.
Status put(UniqueFd file, const std::string& folder, const std::string& name) {
  const UniqueFd to(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!to) return fail_errno(folder, errno);
  TIPHYS_CHECK_OK(artifact::remove_tree(to.get(), name));
  TIPHYS_CHECK_OK(artifact::copy_tree(std::move(file), folder + "/" + name, to.get(), name, false));
  print(fmt::format("Created \"{}/{}\"\n", folder, name));
  return {};
}

Status copy(Session& session, const Output& output);

/// Each file of a folder by itself.
Status copy_files(Session& session, const Output& output, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    Output part = output;
    part.name.file = output.name.file.empty() ? file : output.name.file + "/" + file;
    part.folder = output.folder + "/" + output.file;
    const auto parts = split(file, '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
      TIPHYS_CHECK_OK(check_name(parts[i]));
      if (i + 1 < parts.size()) part.folder += "/" + std::string(parts[i]);
    }
    part.file = parts.back();
    TIPHYS_CHECK_OK(copy(session, part));
  }
  return {};
}

Status copy(Session& session, const Output& output) {
  TIPHYS_CHECK_OK(make_folders(output.folder));
  TIPHYS_TRY(argo::FoundArtifact found, await<argo::FoundArtifact>(session.loop(), [&](auto done) {
               session.find_artifact(output.name, output.folder, std::move(done));
             }));
  if (found.file) return put(std::move(found.file), output.folder, output.file);
  return copy_files(session, output, found.files);
}

Status cp(const CpFlags& flags) {
  Loop loop;
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  TIPHYS_TRY(const cluster::Key key, find_workflow(*session, flags.common.chosen_namespace(), flags.words[0]));
  TIPHYS_TRY(const cluster::Object workflow, get_object(*session, key));
  TIPHYS_TRY(const auto outputs, find_outputs(flags, key, *workflow));
  if (outputs.empty()) {
    return fail(Code::kNotFound, fmt::format("workflow \"{}\" has no such artifacts among its outputs", key.name));
  }
  for (const Output& output : outputs) {
    const Status copied = copy(*session, output);
    if (!copied) {
      return std::unexpected(
          copied.error().in(fmt::format("artifact \"{}\" of node {}", output.name.artifact, output.name.node)));
    }
  }
  return {};
}

}  // namespace

int cp_command(const Arguments& arguments) {
  Flags flags(
      "cp", "Copy artifacts of a workflow",
      "  tiphys cp my-wf output-directory\n  tiphys cp @latest . --artifact-name model --path '{artifactName}'\n");
  CpFlags cp_flags;
  cp_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("cp", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status copied = cp(cp_flags);
  return copied ? kSucceeded : report("cp", copied.error());
}

}  // namespace tiphys::cli
