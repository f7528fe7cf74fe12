// Artifacts of plugins. Original: workflow/artifacts/plugin.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "artifact/drivers.h"
#include "artifact/file_tree.h"
#include "artifact/plugin_service.h"
#include "base/random.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;

/// A folder that a plugin sees too, for one call.
class Shared {
 public:
  static Result<Shared> make(const PluginServer& server) {
    SystemRandom random;
    const std::string name = make_uid(random);
    Shared shared(server.files + "/" + name, server.files_there + "/" + name);
    if (::mkdir(shared.here_.c_str(), 0777) != 0) return fail_errno(fmt::format("make {}", shared.here_), errno);
    // Whoever the plugin is.
    if (::chmod(shared.here_.c_str(), 0777) != 0) return fail_errno(fmt::format("open {}", shared.here_), errno);
    return shared;
  }
  Shared(Shared&& other) noexcept = default;
  ~Shared() {
    if (!here_.empty()) (void)remove_tree(here_);
  }

  std::string here() const { return here_ + "/artifact"; }
  std::string there() const { return there_ + "/artifact"; }
  const std::string& folder() const { return here_; }

 private:
  Shared(std::string here, std::string there) : here_(std::move(here)), there_(std::move(there)) {}

  std::string here_, there_;
};

Status copy_into(const std::string& from, const std::string& folder, const std::string& name) {
  TIPHYS_TRY(UniqueFd tree, open_tree(from));
  TIPHYS_TRY(const UniqueFd to, open_tree(folder));
  return copy_tree(std::move(tree), from, to.get(), name, false);
}

class PluginPlace final : public Place {
 public:
  explicit PluginPlace(const DriverContext& context)
      : place_(context.place),
        artifact_(context.artifact ? *context.artifact : doc::Value()),
        servers_(*context.options.plugins),
        stop_(context.stop) {}

  Status load(const std::string& host_path) override {
    TIPHYS_TRY(const PluginServer server, find());
    TIPHYS_TRY(const Shared shared, Shared::make(server));
    TIPHYS_CHECK_OK(service(server).load(shared.there()));
    struct stat about{};
    if (::lstat(shared.here().c_str(), &about) != 0) {
      return fail(Code::kNotFound,
                  fmt::format("plugin {} load failed: it has put nothing at {}", name(), shared.there()));
    }
    if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
      return fail(Code::kInvalidArgument, fmt::format("plugin {} load failed: neither a file nor a folder", name()));
    }
    if (::rename(shared.here().c_str(), host_path.c_str()) == 0) return {};
    const fs::path to(host_path);
    return copy_into(shared.here(), to.parent_path(), to.filename());
  }

  Status save(const std::string& host_path) override {
    TIPHYS_TRY(const PluginServer server, find());
    TIPHYS_TRY(const Shared shared, Shared::make(server));
    TIPHYS_CHECK_OK(copy_into(host_path, shared.folder(), "artifact"));
    return service(server).save(shared.there());
  }

  Result<std::vector<std::string>> list() override {
    TIPHYS_TRY(const PluginServer server, find());
    return service(server).list();
  }

  Status remove() override {
    TIPHYS_TRY(const PluginServer server, find());
    return service(server).remove();
  }

 private:
  std::string name() const { return std::string(doc::find_string(place_, "name")); }
  Result<PluginServer> find() {
    const doc::Value* timeout = doc::find(place_, "connectionTimeoutSeconds");
    return servers_.find(name(), std::chrono::seconds(timeout && timeout->is_int64() ? timeout->get_int64() : 0),
                         stop_);
  }
  PluginService service(const PluginServer& server) const {
    return {server, place_, artifact_.is_null() ? nullptr : &artifact_, stop_};
  }

  const doc::Value place_, artifact_;
  PluginServers& servers_;
  const std::stop_token stop_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_plugin(const DriverContext& context) {
  const std::string_view name = doc::find_string(context.place, "name");
  if (!context.options.plugins) {
    return fail(Code::kUnimplemented, fmt::format("artifact driver {} not found: this plane runs no plugins", name));
  }
  TIPHYS_CHECK_OK(context.options.plugins->knows(name));
  return std::make_unique<PluginPlace>(context);
}

}  // namespace tiphys::artifact
