// tiphys sync: create, update, get, delete. Limits of semaphores, in ConfigMaps or in the plane's database.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

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
constexpr int kAttempts = 5;  // others may write the ConfigMap too

/// A limit, and where it stands.
struct SyncFlags {
  CommonFlags common;
  std::vector<std::string> names;
  std::string type, config_map;
  std::optional<std::int64_t> limit;

  const std::string& name() const { return names.front(); }
  std::string ns() const { return common.chosen_namespace(); }
  bool database() const { return type == "database"; }
  cluster::Key key() const {
    if (database()) return controllers::sync_limit_key(ns(), name());
    return {&cluster::kConfigMaps, ns(), config_map};
  }
};

std::string no_such_limit(const SyncFlags& flags) {
  return fmt::format("Database sync limit not found in namespace \"{}\".", flags.ns());
}

/// Changes an object as it is now.
Result<cluster::Object> change(Session& session, const cluster::Key& key,
                               const std::function<Status(doc::Object& object)>& edit) {
  for (int attempt = 1;; ++attempt) {
    TIPHYS_TRY(const cluster::Object current, get_object(session, key));
    doc::Value changed = *current;
    TIPHYS_CHECK_OK(edit(changed.get_object()));
    const auto written = await<cluster::Object>(
        session.loop(), [&](auto done) { session.cluster().update(key, std::move(changed), std::move(done)); });
    if (written || written.error().code != Code::kAborted || attempt == kAttempts) return written;
  }
}

Result<cluster::Object> create_object(Session& session, const cluster::Resource& resource, doc::Value object) {
  return await<cluster::Object>(
      session.loop(), [&](auto done) { session.cluster().create(resource, std::move(object), std::move(done)); });
}

// ---- In ConfigMaps ----

Result<cluster::Object> create_in_config_map(Session& session, const SyncFlags& flags) {
  const std::string limit = std::to_string(*flags.limit);
  const auto added = change(session, flags.key(), [&](doc::Object& map) -> Status {
    doc::Object& data = doc::ensure_object(map, "data");
    if (!data.contains(flags.name())) return data[flags.name()] = limit, Status();
    return fail(Code::kAlreadyExists, "sync limit cannot be created as it already exists");
  });
  if (added || added.error().code != Code::kNotFound) return added;
  return create_object(session, cluster::kConfigMaps,
                       doc::Object{{"apiVersion", "v1"},
                                   {"kind", "ConfigMap"},
                                   {"metadata", doc::Object{{"name", flags.config_map}, {"namespace", flags.ns()}}},
                                   {"data", doc::Object{{flags.name(), limit}}}});
}

Result<cluster::Object> update_in_config_map(Session& session, const SyncFlags& flags) {
  return change(session, flags.key(), [&](doc::Object& map) -> Status {
    doc::Object& data = doc::ensure_object(map, "data");
    if (data.contains(flags.name())) return data[flags.name()] = std::to_string(*flags.limit), Status();
    return fail(Code::kNotFound, fmt::format("key {} not found in configmap {}/{} - please create it first",
                                             flags.name(), flags.ns(), flags.config_map));
  });
}

Result<cluster::Object> delete_in_config_map(Session& session, const SyncFlags& flags) {
  return change(session, flags.key(), [&](doc::Object& map) -> Status {
    doc::ensure_object(map, "data").erase(flags.name());
    return {};
  });
}

Result<std::int64_t> get_in_config_map(Session& session, const SyncFlags& flags) {
  TIPHYS_TRY(const cluster::Object map, get_object(session, flags.key()));
  const auto limit = controllers::limit_in_config_map(*map, flags.name());
  if (limit) return limit;
  const bool missing = limit.error().code == Code::kNotFound;
  return fail(limit.error().code,
              missing ? fmt::format("key {} not found in configmap {}/{}", flags.name(), flags.ns(), flags.config_map)
                      : fmt::format("invalid limit format for key {} in configmap {}/{}", flags.name(), flags.ns(),
                                    flags.config_map));
}

// ---- In the database ----

Result<cluster::Object> create_in_database(Session& session, const SyncFlags& flags) {
  auto created =
      create_object(session, cluster::kSyncLimits, controllers::sync_limit(flags.ns(), flags.name(), *flags.limit));
  if (created || created.error().code != Code::kAlreadyExists) return created;
  return fail(Code::kAlreadyExists, fmt::format("Database sync limit already exists in namespace \"{}\".", flags.ns()));
}

Result<cluster::Object> update_in_database(Session& session, const SyncFlags& flags) {
  return change(session, flags.key(), [&](doc::Object& limit) -> Status {
    doc::ensure_object(limit, "spec")["limit"] = *flags.limit;
    return {};
  });
}

Result<cluster::Object> delete_in_database(Session& session, const SyncFlags& flags) {
  return await<cluster::Object>(session.loop(),
                                [&](auto done) { session.cluster().remove(flags.key(), {}, std::move(done)); });
}

Result<std::int64_t> get_in_database(Session& session, const SyncFlags& flags) {
  TIPHYS_TRY(const cluster::Object limit, get_object(session, flags.key()));
  return controllers::limit_of(*limit);
}

// ---- The commands ----

void print_limit(const SyncFlags& flags, std::int64_t limit) {
  std::string text = fmt::format("Key: {}\nType: {}\n", flags.name(), flags.type);
  if (!flags.database()) text += fmt::format("ConfigMap Name: {}\n", flags.config_map);
  print(text + fmt::format("Namespace: {}\nLimit: {}\n", flags.ns(), limit));
}

Result<int> run_action(Session& session, std::string_view action, const SyncFlags& flags) {
  if (action == "get") {
    TIPHYS_TRY(const std::int64_t limit,
               flags.database() ? get_in_database(session, flags) : get_in_config_map(session, flags));
    print_limit(flags, limit);
    return kSucceeded;
  }
  const auto write = action == "create"   ? (flags.database() ? create_in_database : create_in_config_map)
                     : action == "update" ? (flags.database() ? update_in_database : update_in_config_map)
                                          : (flags.database() ? delete_in_database : delete_in_config_map);
  TIPHYS_TRY([[maybe_unused]] const cluster::Object written, write(session, flags));
  print(fmt::format("Sync limit {}d\n", action));
  if (action != "delete") print_limit(flags, *flags.limit);
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
  Error error = code.error();
  if (flags.database() && error.code == Code::kNotFound) error.message = no_such_limit(flags);
  return std::unexpected(error.in(fmt::format("failed to {} sync limit", action)));
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
