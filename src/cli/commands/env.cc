// tiphys env: what a shell needs to speak to the plane of this machine.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "store/data_dir.h"

namespace tiphys::cli {
namespace {

/// A word of sh and fish.
std::string quoted(std::string_view text) {
  std::string made = "'";
  for (const char letter : text) letter == '\'' ? made += "'\\''" : made += letter;
  return made + "'";
}

Status show(const std::string& data_dir_flag, std::string shell) {
  if (shell.empty()) {
    const char* login = std::getenv("SHELL");
    shell = login && std::string_view(login).ends_with("/fish") ? "fish" : "sh";
  }
  TIPHYS_TRY(const std::string data_dir, store::DataDir::locate(data_dir_flag));
  const std::string path = data_dir + "/kubeconfig";
  if (::access((data_dir + "/server.json").c_str(), F_OK) != 0) {
    return fail(Code::kNotFound, fmt::format("no plane listens for {}: start one with `tiphys up`", data_dir));
  }
  print(fmt::format("{}{}\n", shell == "fish" ? "set -gx KUBECONFIG " : "export KUBECONFIG=", quoted(path)));
  return {};
}

}  // namespace

int env_command(const Arguments& arguments) {
  Flags flags("env", "Print what makes kubectl and Python's Kubernetes clients in this shell use the plane",
              "  eval \"$(tiphys env)\"            # bash, zsh\n  tiphys env --shell fish | source\n");
  std::string data_dir, shell;
  flags.choice("--shell", shell, {"sh", "fish"}, "Whose syntax to print (default: that of $SHELL)");
  flags.text("--data-dir", data_dir, "DIR",
             "The plane's directory (default: $TIPHYS_DATA_DIR, else ~/.local/share/tiphys)");
  std::vector<std::string> none;
  flags.positional("", none, 0, 0);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("env", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status shown = show(data_dir, shell);
  return shown ? kSucceeded : report("env", shown.error());
}

}  // namespace tiphys::cli
