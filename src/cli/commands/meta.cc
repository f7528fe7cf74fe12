// tiphys version, tiphys completion.
#include <fmt/format.h>

#include <algorithm>

#include "argo/ask.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "server/version.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kBash = R"sh(# bash completion for tiphys; load it with: source <(tiphys completion bash)
_tiphys() {
  local IFS=$'\n' current="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]/#\~/$HOME}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$current"))
  if [[ ${#COMPREPLY[@]} -eq 0 && $current != -* ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -F _tiphys tiphys
)sh";

constexpr std::string_view kZsh = R"sh(#compdef tiphys
# zsh completion for tiphys; load it with: source <(tiphys completion zsh)
_tiphys() {
  local -a candidates
  candidates=("${(@f)$(${~words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=("${(@)candidates:#}")
  if (( ${#candidates} )); then
    compadd -- "${candidates[@]}"
  else
    _files
  fi
}
compdef _tiphys tiphys
)sh";

constexpr std::string_view kFish = R"sh(# fish completion for tiphys; load it with: tiphys completion fish | source
function __tiphys_complete
  set -l words (commandline -opc) (commandline -ct)
  tiphys __complete $words[2..-1] 2>/dev/null
end
complete -c tiphys -a '(__tiphys_complete)'
)sh";

/// Commands whose arguments are workflows.
bool takes_workflow(std::string_view command) {
  for (const std::string_view name : {"get", "logs", "watch", "wait", "suspend", "resume", "stop", "terminate",
                                      "delete", "node", "resubmit", "retry", "cp"}) {
    if (name == command) return true;
  }
  return false;
}

/// Commands of `cron` whose arguments are cron workflows.
bool takes_cron_workflow(std::string_view action) {
  for (const std::string_view name : {"backfill", "delete", "get", "resume", "suspend"}) {
    if (name == action) return true;
  }
  return false;
}

/// The arguments of `list` that name the workflows of the plane which a command line speaks of.
Arguments name_list(const Arguments& before) {
  Arguments list{"-o", "name"};
  for (std::size_t i = 0; i + 1 < before.size(); ++i) {
    for (const std::string_view flag : place_flags_with_value()) {
      if (before[i] == flag) list.insert(list.end(), {before[i], before[i + 1]});
    }
  }
  return list;
}

}  // namespace

namespace {

/// Of the server of Argo's API, where one is named.
Status print_server_version(const SessionOptions& options, bool is_short) {
  TIPHYS_TRY(const PlaceKind kind, options.kind());
  if (kind != PlaceKind::kArgoServer) return {};
  Loop loop;
  TIPHYS_TRY(const auto session, open_session(loop, options, Need::kRead));
  TIPHYS_TRY(const doc::Value version, ask(*session, argo::kInfoService, "GetVersion", {}));
  print(fmt::format("argo-server: {}\n", doc::find_string(version, "version")));
  if (is_short) return {};
  const std::pair<const char*, const char*> lines[] = {
      {"BuildDate", "buildDate"}, {"GitCommit", "gitCommit"}, {"GitTreeState", "gitTreeState"}, {"GitTag", "gitTag"},
      {"GoVersion", "goVersion"}, {"Compiler", "compiler"},   {"Platform", "platform"}};
  for (const auto& [name, field] : lines) {
    const std::string_view value = doc::find_string(version, field);
    if (!value.empty()) print(fmt::format("  {}: {}\n", name, value));
  }
  return {};
}

}  // namespace

int version_command(const Arguments& arguments) {
  Flags flags("version", "Print version information");
  CommonFlags common;
  bool is_short = false;
  flags.flag("--short", is_short, "Print just the version number");
  std::vector<std::string> none;
  flags.positional("", none, 0, 0);
  common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("version", parsed.error());
  if (!*parsed) return kSucceeded;
  print(fmt::format("tiphys: {}\n", server::version()));
  if (!is_short) print(fmt::format("  Compiler: {}\n  Platform: {}\n", server::compiler(), server::platform()));
  const Status told = print_server_version(common.session, is_short);
  return told ? kSucceeded : report("version", told.error());
}

int completion_command(const Arguments& arguments) {
  Flags flags("completion", "Output shell completion code (bash, zsh or fish)", "  source <(tiphys completion bash)\n");
  std::vector<std::string> names;
  flags.positional("SHELL", names, 1, 1);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("completion", parsed.error());
  if (!*parsed) return kSucceeded;
  const std::string& shell = names.front();
  if (shell == "bash") print(kBash);
  if (shell == "zsh") print(kZsh);
  if (shell == "fish") print(kFish);
  if (shell == "bash" || shell == "zsh" || shell == "fish") return kSucceeded;
  return report("completion", {Code::kInvalidArgument,
                               fmt::format("invalid shell \"{}\": supported shells are bash, zsh, and fish", shell)});
}

int complete_command(const Arguments& before, std::string_view current) {
  if (before.empty() || before.front().starts_with('-')) {
    for (const auto& command : commands()) print(fmt::format("{}\n", command.name));
    return kSucceeded;
  }
  const auto all = commands();
  const auto command =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == before.front(); });
  if (command == all.end()) return kSucceeded;
  if (current.starts_with('-')) return command->run({"--list-flags"});
  const std::string& previous = before.back();
  if (previous.starts_with('-') && command->run({"--list-values", previous}) == kSucceeded) return kSucceeded;
  if (command->name == "completion") {
    print("bash\nzsh\nfish\n");
  } else if (command->name == "node" && before.size() == 1) {
    print("set\n");
  } else if (command->name.ends_with("template") && before.size() == 1) {
    print("create\ndelete\nget\nlint\nlist\nupdate\n");
  } else if (command->name == "cron" && before.size() == 1) {
    print("backfill\ncreate\ndelete\nget\nlint\nlist\nresume\nsuspend\nupdate\n");
  } else if (command->name == "archive" && before.size() == 1) {
    print("delete\nget\nlist\nlist-label-keys\nlist-label-values\nresubmit\nretry\n");
  } else if (command->name == "sync" && before.size() == 1) {
    print("create\ndelete\nget\nupdate\n");
  } else if (command->name == "cron" && takes_cron_workflow(before[1])) {
    Arguments list = name_list(before);
    list.insert(list.begin(), "list");
    return cron_command(list);
  } else if (takes_workflow(command->name)) {
    print("@latest\n");
    return list_command(name_list(before));
  }
  return kSucceeded;
}

}  // namespace tiphys::cli
