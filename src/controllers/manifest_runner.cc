#include "controllers/manifest_runner.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/artifact_location.h"
#include "artifact/file_tree.h"
#include "artifact/input.h"
#include "base/log.h"
#include "controllers/pod_files.h"

namespace tiphys::controllers {
namespace {

namespace fs = std::filesystem;

/// More than the original's cluster would take of an object.
constexpr std::uintmax_t kMostManifestBytes = 3 * 1024 * 1024;

/// The artifact as an agent would be told of it.
Result<doc::Value> wanted_manifest(const ActionRequest& request) {
  const doc::Value& tmpl = *request.run.template_document;
  const std::string_view name = doc::find_string(tmpl, "resource", "manifestFrom", "artifact", "name");
  TIPHYS_TRY(const std::string inputs, inputs_annotation(tmpl, request.archive_location));
  TIPHYS_TRY(const doc::Value told, doc::parse_json(inputs.empty() ? "{}" : inputs));
  if (const doc::Value* artifacts = doc::find(told, "artifacts"); artifacts && artifacts->is_array()) {
    for (const doc::Value& each : artifacts->get_array()) {
      if (doc::find_string(each, "name") == name) return each;
    }
  }
  return fail(Code::kNotFound, fmt::format("artifact {} is no input of the template", name));
}

Result<std::string> read_text(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return fail(Code::kInvalidArgument, fmt::format("the manifest is no file: {}", error.message()));
  if (size > kMostManifestBytes) return fail(Code::kInvalidArgument, fmt::format("the manifest has {} bytes", size));
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return fail_errno(path, errno);
  return text;
}

Result<std::string> load(const doc::Value& wanted, const artifact::Stores& stores,
                         const artifact::Credentials& credentials) {
  std::string folder = (fs::temp_directory_path() / "tiphys-manifest-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return fail_errno(folder, errno);
  const std::string path = folder + "/manifest";
  const Status loaded = artifact::load_input(wanted, path, stores, credentials);
  Result<std::string> text = loaded ? read_text(path) : std::unexpected(loaded.error());
  if (const Status removed = artifact::remove_tree(folder); !removed) log::warn("{}", removed.error().message);
  if (!text)
    return std::unexpected(
        text.error().in(fmt::format("artifact {} failed to load", doc::find_string(wanted, "name"))));
  return text;
}

class Fetching : public std::enable_shared_from_this<Fetching> {
 public:
  Fetching(Workers& workers, artifact::Stores* stores, ActionRunner& resources, ActionRequest request,
           ActionRunner::Changed changed)
      : workers_(workers),
        stores_(stores),
        resources_(resources),
        request_(std::move(request)),
        changed_(std::move(changed)) {}

  void begin(cluster::Cluster& cluster) {
    auto wanted = wanted_manifest(request_);
    if (wanted && !stores_) wanted = fail(Code::kFailedPrecondition, "this plane has no artifact repository");
    if (!wanted) return read([error = wanted.error()]() -> Result<std::string> { return std::unexpected(error); });
    const doc::Value location = *doc::find(*wanted, "location");
    artifact::Credentials::fetch(
        cluster, request_.ns, std::span(&location, 1),
        [self = shared_from_this(), wanted = std::move(*wanted)](Result<artifact::Credentials> credentials) {
          self->read([self, wanted, credentials = std::move(credentials)]() -> Result<std::string> {
            if (!credentials) return std::unexpected(credentials.error());
            return load(wanted, *self->stores_, *credentials);
          });
        });
  }
  void cancel() {
    changed_ = nullptr;
    acting_.reset();
  }

 private:
  template <typename Job>
  void read(Job job) {
    workers_.run(std::move(job), [self = shared_from_this()](Result<std::string> text) { self->act(std::move(text)); });
  }

  void act(Result<std::string> text) {
    if (!changed_) return;
    auto changed = std::exchange(changed_, nullptr);
    if (!text) {
      // As the original's init container fails.
      engine::ActionChanged end;
      end.node_id = request_.run.node_id;
      end.phase = api::NodePhase::kError;
      end.message = text.error().message;
      return changed(std::move(end));
    }
    doc::Value tmpl = *request_.run.template_document;
    doc::Object& resource = tmpl.at("resource").get_object();
    resource.erase("manifestFrom");
    resource["manifest"] = *text;
    request_.run.template_document = std::make_shared<const doc::Value>(std::move(tmpl));
    acting_ = resources_.run(std::move(request_), std::move(changed));
  }

  Workers& workers_;
  artifact::Stores* stores_;
  ActionRunner& resources_;
  ActionRequest request_;
  ActionRunner::Changed changed_;
  std::unique_ptr<RunningAction> acting_;
};

}  // namespace

std::unique_ptr<RunningAction> ManifestRunner::run(ActionRequest request, Changed changed) {
  auto fetching = std::make_shared<Fetching>(workers_, stores_, resources_, std::move(request), std::move(changed));
  fetching->begin(cluster_);
  return std::make_unique<CancellableAction<Fetching>>(std::move(fetching));
}

}  // namespace tiphys::controllers
