// tiphys executor-plugin build.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "cli/commands/common.h"
#include "cli/manifest.h"
#include "cli/terminal.h"
#include "doc/truth.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kHeader = "This file is generated. Do not edit it.";

/// The one file that is the plugin's program; "" where its image has that.
Result<std::string> find_program(const std::string& folder) {
  std::string found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with("server.")) continue;
    if (!found.empty()) {
      return fail(Code::kInvalidArgument, fmt::format("{} has more than one file \"server.*\": {} and {}", folder,
                                                      found, entry.path().filename().string()));
    }
    found = entry.path().string();
  }
  if (error) return fail_errno(folder, error.value());
  return found;
}

/// What the original asks of a plugin's container (pkg/plugins/spec).
Status check(const doc::Value& plugin, const std::string& file) {
  const auto wrong = [&](std::string_view what) {
    return fail(Code::kInvalidArgument, fmt::format("{}: {}", file, what));
  };
  if (doc::find_string(plugin, "kind") != "ExecutorPlugin") return wrong("kind: it is no ExecutorPlugin");
  if (doc::find_string(plugin, "metadata", "name").empty()) return wrong("metadata.name is mandatory");
  const doc::Value* container = doc::find(plugin, "spec", "sidecar", "container");
  if (!container || !container->is_object()) return wrong("spec.sidecar.container is mandatory");
  const doc::Value* ports = doc::find(*container, "ports");
  if (!ports || !ports->is_array() || ports->get_array().empty()) {
    return wrong("spec.sidecar.container.ports: at least one port is mandatory");
  }
  for (const char* part : {"requests", "limits"}) {
    const doc::Value* set = doc::find(*container, "resources", part);
    if (!set || !set->is_object()) return wrong(fmt::format("spec.sidecar.container.resources.{} are mandatory", part));
  }
  const doc::Value* security = doc::find(*container, "securityContext");
  if (!security || !security->is_object()) return wrong("spec.sidecar.container.securityContext is mandatory");
  return {};
}

Result<doc::Value> read_plugin(const std::string& folder) {
  const std::string file = folder + "/plugin.yaml";
  TIPHYS_TRY(const std::string text, read_text(file));
  TIPHYS_TRY(auto documents, doc::parse_yaml(text, file));
  if (documents.size() != 1) return fail(Code::kInvalidArgument, fmt::format("{}: it has to be one document", file));
  doc::Value plugin = std::move(documents.front().root);
  TIPHYS_CHECK_OK(check(plugin, file));
  TIPHYS_TRY(const std::string program, find_program(folder));
  if (!program.empty()) {
    TIPHYS_TRY(std::string source, read_text(program));
    plugin.at("spec").at("sidecar").at("container").as_object()["args"] = doc::Array{std::move(source)};
  }
  return plugin;
}

/// What controllers find plugins by.
doc::Value config_map_of(const doc::Value& plugin) {
  doc::Object metadata{{"name", std::string(doc::find_string(plugin, "metadata", "name")) + "-executor-plugin"}};
  doc::Object labels{{"workflows.argoproj.io/configmap-type", "ExecutorPlugin"}};
  if (const doc::Value* own = doc::find(plugin, "metadata", "labels"); own && own->is_object()) {
    for (const auto& [key, value] : own->get_object()) labels[key] = value;
  }
  metadata["labels"] = std::move(labels);
  for (const char* field : {"namespace", "annotations"}) {
    if (const doc::Value* value = doc::find(plugin, "metadata", field)) metadata[field] = *value;
  }
  const doc::Value& sidecar = plugin.at("spec").at("sidecar");
  const bool mounts = doc::is_true(sidecar, "automountServiceAccountToken");
  return doc::Object{{"apiVersion", "v1"},
                     {"kind", "ConfigMap"},
                     {"metadata", std::move(metadata)},
                     {"data", doc::Object{{"sidecar.automountServiceAccountToken", mounts ? "true" : "false"},
                                          {"sidecar.container", doc::to_yaml(sidecar.at("container"))}}}};
}

std::string readme_of(const doc::Value& plugin) {
  const std::string_view name = doc::find_string(plugin, "metadata", "name");
  const auto annotation = [&](const char* key) { return doc::find_string(plugin, "metadata", "annotations", key); };
  return fmt::format(
      "<!-- {} -->\n# {}\n\n* Needs Argo Workflows: {}\n* Image: {}\n\n{}\n\nTo install it:\n\n    kubectl apply -f "
      "{}-executor-plugin-configmap.yaml\n\nTo remove it:\n\n    kubectl delete configmap {}-executor-plugin\n",
      kHeader, name, annotation("workflows.argoproj.io/version"),
      doc::find_string(plugin, "spec", "sidecar", "container", "image"),
      annotation("workflows.argoproj.io/description"), name, name);
}

Status write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (!file) return fail(Code::kUnavailable, fmt::format("{}: it cannot be written", path));
  print(fmt::format("{} created\n", path));
  return {};
}

Status build(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  TIPHYS_TRY(const doc::Value plugin, read_plugin(folder));
  const std::string name(doc::find_string(plugin, "metadata", "name"));
  TIPHYS_CHECK_OK(write(fmt::format("{}/{}-executor-plugin-configmap.yaml", folder, name),
                        fmt::format("# {}\n{}", kHeader, doc::to_yaml(config_map_of(plugin)))));
  return write(folder + "/README.md", readme_of(plugin));
}

}  // namespace

int executor_plugin_command(const Arguments& arguments) {
  Flags flags("executor-plugin", "Manage executor plugins", "  tiphys executor-plugin build ./my-plugin\n");
  std::vector<std::string> words;
  flags.positional("build DIR", words, 2, 2);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("executor-plugin", parsed.error());
  if (!*parsed) return kSucceeded;
  if (words[0] != "build") {
    return report("executor-plugin",
                  {Code::kInvalidArgument, fmt::format("\"{}\" is none of its actions: build", words[0])});
  }
  const Status built = build(words[1]);
  return built ? kSucceeded : report("executor-plugin", built.error());
}

}  // namespace tiphys::cli
