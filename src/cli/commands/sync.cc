// tiphys sync: create, update, get, delete. Limits of semaphores, in ConfigMaps or in the plane's database.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "argo/ask.h"
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
  doc::Object request() const {
    doc::Object asked{{"namespace", ns()}, {"key", name()}, {"type", database() ? 1 : 0}};
    if (!database()) asked["cmName"] = config_map;
    if (limit) asked["limit"] = *limit;
    return asked;
  }
};

void print_limit(const SyncFlags& flags, std::int64_t limit) {
  std::string text = fmt::format("Key: {}\nType: {}\n", flags.name(), flags.type);
  if (!flags.database()) text += fmt::format("ConfigMap Name: {}\n", flags.config_map);
  print(text + fmt::format("Namespace: {}\nLimit: {}\n", flags.ns(), limit));
}

Result<int> run_action(Session& session, std::string_view action, const SyncFlags& flags) {
  const std::string method = action == "create"   ? "CreateSyncLimit"
                             : action == "update" ? "UpdateSyncLimit"
                             : action == "delete" ? "DeleteSyncLimit"
                                                  : "GetSyncLimit";
  TIPHYS_TRY(const doc::Value answer, ask(session, argo::kSyncService, method, flags.request()));
  if (action == "delete") {
    print("Sync limit deleted\n");
    return kSucceeded;
  }
  if (action != "get") print(fmt::format("Sync limit {}d\n", action));
  const doc::Value* limit = doc::find(answer, "limit");
  print_limit(flags, limit && limit->is_int64() ? limit->get_int64() : 0);
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
