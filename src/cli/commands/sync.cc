// tiphys sync: create, update, get, delete. Limits of semaphores, in ConfigMaps or in the plane's database.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "argo/sync_limits.h"
#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "controllers/sync_limit.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kActions[] = {"create", "delete", "get", "update"};
constexpr std::string_view kExamples =
    "  tiphys sync {0} my-key --type database{1}\n  tiphys sync {0} my-key --type configmap --cm-name "
    "my-configmap{1}\n";

/// A limit, and where it stands.
struct SyncFlags {
  CommonFlags common;
  std::vector<std::string> names;
  std::string type, config_map;
  std::optional<std::int64_t> limit;

  const std::string& name() const { return names.front(); }
  std::string ns() const { return common.chosen_namespace(); }
  bool database() const { return type == "database"; }
  argo::SyncLimit of() const {
    return {.ns = ns(), .key = name(), .config_map = database() ? "" : config_map, .limit = limit.value_or(0)};
  }
};

void print_limit(const SyncFlags& flags, std::int64_t limit) {
  std::string text = fmt::format("Key: {}\nType: {}\n", flags.name(), flags.type);
  if (!flags.database()) text += fmt::format("ConfigMap Name: {}\n", flags.config_map);
  print(text + fmt::format("Namespace: {}\nLimit: {}\n", flags.ns(), limit));
}

Result<int> run_action(Session& session, std::string_view action, const SyncFlags& flags) {
  cluster::Cluster& plane = session.cluster();
  if (action == "delete") {
    TIPHYS_CHECK_OK(
        await<void>(session.loop(), [&](auto done) { argo::delete_limit(plane, flags.of(), std::move(done)); }));
    print("Sync limit deleted\n");
    return kSucceeded;
  }
  const auto operation = action == "create"   ? argo::create_limit
                         : action == "update" ? argo::update_limit
                                              : argo::get_limit;
  TIPHYS_TRY(const std::int64_t limit,
             await<std::int64_t>(session.loop(), [&](auto done) { operation(plane, flags.of(), std::move(done)); }));
  if (action != "get") print(fmt::format("Sync limit {}d\n", action));
  print_limit(flags, limit);
  return kSucceeded;
}

Status check(std::string_view action, SyncFlags& flags) {
  std::ranges::transform(flags.type, flags.type.begin(), [](unsigned char c) { return std::tolower(c); });
  if (flags.type != "database" && flags.type != "configmap") {
    return fail(Code::kInvalidArgument, "--type must be either 'database' or 'configmap'");
  }
  if (!flags.database() && flags.config_map.empty()) {
    return fail(Code::kInvalidArgument, "--cm-name is required when type is configmap");
  }
  if (flags.database() && flags.name().size() > controllers::kLongestSyncKey) {
    return fail(Code::kInvalidArgument, fmt::format("the key must be no longer than {} bytes, and is {}",
                                                    controllers::kLongestSyncKey, flags.name().size()));
  }
  if (action != "create" && action != "update") return {};
  if (!flags.limit) return fail(Code::kInvalidArgument, "required flag(s) \"limit\" not set");
  if (*flags.limit <= 0) return fail(Code::kInvalidArgument, "limit must be greater than zero");
  if (*flags.limit > std::numeric_limits<std::int32_t>::max()) {
    return fail(Code::kInvalidArgument, fmt::format("--limit {} is too large", *flags.limit));
  }
  return {};
}

Result<int> run(std::string_view action, SyncFlags& flags) {
  TIPHYS_CHECK_OK(check(action, flags));
  Loop loop;
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  const auto code = run_action(*session, action, flags);
  if (code) return code;
  return std::unexpected(code.error().in(fmt::format("failed to {} sync limit", action)));
}

}  // namespace

int sync_command(const Arguments& arguments) {
  const std::vector<std::string> actions(std::begin(kActions), std::end(kActions));
  const std::string action = arguments.empty() ? "--help" : arguments.front();
  const std::string usage = fmt::format("Usage:\n  tiphys sync {} KEY [flags]\n", join(actions, "|"));
  if (action == "--list-flags" || action == "--list-values") return kSucceeded;
  if (action == "--help" || action == "-h") {
    print(usage);
    return kSucceeded;
  }
  if (std::ranges::find(actions, action) == actions.end()) {
    print_error(fmt::format("tiphys sync: unknown command \"{}\"{}\n{}", action, did_you_mean(action, actions), usage));
    return kBadUsage;
  }
  const std::string name = "sync " + action;
  const bool writes = action == "create" || action == "update";
  SyncFlags into;
  Flags flags(name, fmt::format("{} a limit of semaphores", action),
              fmt::format(fmt::runtime(kExamples), action, writes ? " --limit 10" : ""));
  flags.positional("KEY", into.names, 1, 1);
  flags.text("--type", into.type, "TYPE", "Where it stands: database or configmap");
  flags.text("--cm-name", into.config_map, "NAME", "The ConfigMap, for type configmap");
  if (writes) flags.number("--limit", into.limit, "N", "How many may hold the semaphore at the same time");
  into.common.add_to(flags);
  const auto parsed = flags.parse({arguments.begin() + 1, arguments.end()});
  if (!parsed) return report(name, parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = run(action, into);
  return code ? *code : report(name, code.error());
}

}  // namespace tiphys::cli
