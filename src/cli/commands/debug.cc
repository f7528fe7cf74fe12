// tiphys debug bundle.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "artifact/repository.h"
#include "artifact/secret_folder.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "server/version.h"

namespace tiphys::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLogLines = 200;

struct DebugFlags {
  CommonFlags common;
  std::vector<std::string> words;
  std::string output;
};

/// What is collected, a folder that becomes the archive.
class Bundle {
 public:
  explicit Bundle(std::string folder) : folder_(std::move(folder)) {}

  Status write(const std::string& name, std::string_view text) const {
    const fs::path path = fs::path(folder_) / name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (error || !file) return fail(Code::kInternal, fmt::format("write {}: no room, or no right to", path.string()));
    return {};
  }
  /// What could not be had is told in the bundle: the rest is of use all the same.
  void lacks(std::string_view what, const Error& error) { missing_ += fmt::format("{}: {}\n", what, error.message); }
  Status write_missing() const { return missing_.empty() ? Status() : write("missing.txt", missing_); }

 private:
  std::string folder_;
  std::string missing_;
};

/// Sizes in place of values, which may be anybody's secret.
doc::Value without_values(const doc::Value& object) {
  doc::Value shown = object;
  for (const std::string_view field : {"data", "stringData", "binaryData"}) {
    doc::Value* values = shown.get_object().if_contains(field);
    if (!values || !values->is_object()) continue;
    for (auto& [key, value] : values->get_object()) {
      if (value.is_string()) value = fmt::format("({} characters)", value.get_string().size());
    }
  }
  // It holds the values once more.
  if (doc::Value* metadata = shown.get_object().if_contains("metadata"); metadata && metadata->is_object()) {
    metadata->get_object().erase("annotations");
    metadata->get_object().erase("managedFields");
  }
  return shown;
}

std::string about_host() {
  utsname name{};
  ::uname(&name);
  return doc::to_json(doc::Object{{"kernel", fmt::format("{} {} {}", name.sysname, name.release, name.machine)},
                                  {"cpus", std::thread::hardware_concurrency()},
                                  {"memoryBytes", ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE)},
                                  {"user", ::geteuid() == 0 ? "root" : "not root"}}) +
         "\n";
}

/// Their names alone: some hold tokens.
std::string variables() {
  std::string names;
  for (char** entry = ::environ; *entry; ++entry) {
    const std::string_view text = *entry;
    for (const std::string_view prefix : {"TIPHYS_", "ARGO_", "KUBE", "DOCKER_", "CONTAINER_"}) {
      if (text.starts_with(prefix)) names += fmt::format("{}\n", text.substr(0, text.find('=')));
    }
  }
  return names;
}

Result<cluster::List> list(Session& session, const cluster::Resource& resource) {
  cluster::ListOptions options;
  options.with_nodes = &resource == &cluster::kWorkflows;
  return await<cluster::List>(
      session.loop(), [&](auto done) { session.cluster().list(resource, std::move(options), std::move(done)); });
}

Status add_log(Session& session, const doc::Value& pod, std::string_view container, Bundle& bundle) {
  const cluster::Key key{&cluster::kPods, std::string(doc::find_string(pod, "metadata", "namespace")),
                         std::string(doc::find_string(pod, "metadata", "name"))};
  cluster::LogOptions options;
  options.container = container;
  options.timestamps = true;
  options.tail = kLogLines;
  std::string text;
  std::optional<Status> ended;
  cluster::LogSink sink;
  sink.on_line = [&](std::string_view line, Time at, std::string_view) {
    text += fmt::format("{} {}\n", format_rfc3339(at), line);
  };
  sink.on_end = [&](Status status) { ended = std::move(status); };
  const auto reading = session.cluster().read_log(key, std::move(options), std::move(sink));
  session.loop().run_until([&] { return ended.has_value(); });
  if (!*ended) bundle.lacks(fmt::format("the log of {}/{} {}", key.ns, key.name, container), ended->error());
  if (text.empty()) return {};
  return bundle.write(fmt::format("logs/{}/{}/{}.log", key.ns, key.name, container), text);
}

/// The ends of those that have not succeeded.
Status add_logs(Session& session, const std::vector<cluster::Object>& pods, Bundle& bundle) {
  for (const cluster::Object& pod : pods) {
    if (doc::find_string(*pod, "status", "phase") == "Succeeded") continue;
    for (const char* field : {"initContainers", "containers"}) {
      const doc::Value* containers = doc::find(*pod, "spec", field);
      if (!containers || !containers->is_array()) continue;
      for (const doc::Value& container : containers->get_array()) {
        TIPHYS_CHECK_OK(add_log(session, *pod, doc::find_string(container, "name"), bundle));
      }
    }
  }
  return {};
}

Status add_objects(Session& session, Bundle& bundle) {
  for (const cluster::Resource* resource : cluster::resources()) {
    const auto found = list(session, *resource);
    if (!found) {
      bundle.lacks(resource->plural, found.error());
      continue;
    }
    if (found->items.empty()) continue;
    const bool hides = resource == &cluster::kSecrets || resource == &cluster::kConfigMaps;
    std::string lines;
    for (const cluster::Object& object : found->items) {
      lines += doc::to_json(hides ? without_values(*object) : *object) + "\n";
    }
    TIPHYS_CHECK_OK(bundle.write(fmt::format("objects/{}.jsonl", resource->plural), lines));
    if (resource == &cluster::kPods) TIPHYS_CHECK_OK(add_logs(session, found->items, bundle));
  }
  return {};
}

Status bundle(const DebugFlags& flags) {
  Loop loop;
  const std::string stamp = format_rfc3339(loop.now()).substr(0, 19);
  std::string name = "tiphys-debug-" + stamp;
  std::ranges::replace(name, ':', '-');
  const std::string archive = flags.output.empty() ? name + ".tgz" : flags.output;
  artifact::SecretFolder scratch;
  TIPHYS_TRY(const std::string folder, scratch.path_of(name));
  Bundle bundle(folder);
  TIPHYS_CHECK_OK(bundle.write("version.json", server::version_json() + "\n"));
  TIPHYS_CHECK_OK(bundle.write("host.json", about_host()));
  TIPHYS_CHECK_OK(bundle.write("variables.txt", variables()));
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  TIPHYS_CHECK_OK(add_objects(*session, bundle));
  TIPHYS_CHECK_OK(bundle.write_missing());
  // For its maker alone, until he hands it on.
  ::umask(077);
  TIPHYS_CHECK_OK(artifact::pack_tar_gz(folder, archive, -1));
  print(
      fmt::format("{}: the plane's objects, and the ends of the logs of pods that have not succeeded.\n"
                  "Values of Secrets and ConfigMaps are left out; manifests, parameters and logs are as they are: "
                  "look before you hand it on.\n",
                  archive));
  return {};
}

}  // namespace

int debug_command(const Arguments& arguments) {
  Flags flags("debug", "Collect what tells how the plane is, for a report",
              "  tiphys debug bundle\n  tiphys debug bundle -o report.tgz\n");
  DebugFlags debug;
  flags.positional("bundle", debug.words, 1, 1);
  flags.text("-o,--output", debug.output, "FILE", "Where to put it (default: tiphys-debug-TIME.tgz, here)");
  debug.common.add_to(flags);
  debug.common.session.ours = true;
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("debug", parsed.error());
  if (!*parsed) return kSucceeded;
  if (debug.words.front() != "bundle") {
    return report("debug",
                  {Code::kInvalidArgument, fmt::format("\"{}\" is none of its actions: bundle", debug.words.front())});
  }
  const Status made = bundle(debug);
  return made ? kSucceeded : report("debug", made.error());
}

}  // namespace tiphys::cli
