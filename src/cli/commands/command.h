// The commands, each a function from its arguments to the program's exit code.
#pragma once

#include <span>
#include <string_view>

#include "cli/flags.h"

namespace tiphys::cli {

inline constexpr int kSucceeded = 0;
inline constexpr int kFailed = 1;
inline constexpr int kBadUsage = 2;

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(const Arguments& arguments);
  /// It goes on when nobody reads its output any more; others end at once, as programs in a pipe do.
  bool outlives_reader = false;
};

/// In the order in which help lists them.
std::span<const Command> commands();

int run_command(const Arguments& arguments);
int up_command(const Arguments& arguments);
int env_command(const Arguments& arguments);
int debug_command(const Arguments& arguments);
int controller_command(const Arguments& arguments);
int submit_command(const Arguments& arguments);
int retry_command(const Arguments& arguments);
int resubmit_command(const Arguments& arguments);
int list_command(const Arguments& arguments);
int get_command(const Arguments& arguments);
int logs_command(const Arguments& arguments);
int watch_command(const Arguments& arguments);
int wait_command(const Arguments& arguments);
int suspend_command(const Arguments& arguments);
int resume_command(const Arguments& arguments);
int stop_command(const Arguments& arguments);
int terminate_command(const Arguments& arguments);
int node_command(const Arguments& arguments);
int delete_command(const Arguments& arguments);
int lint_command(const Arguments& arguments);
int test_command(const Arguments& arguments);
int simulate_command(const Arguments& arguments);
int template_command(const Arguments& arguments);
int cluster_template_command(const Arguments& arguments);
int explain_command(const Arguments& arguments);
int schema_command(const Arguments& arguments);
int cron_command(const Arguments& arguments);
int archive_command(const Arguments& arguments);
int sync_command(const Arguments& arguments);
int cp_command(const Arguments& arguments);
int convert_command(const Arguments& arguments);
int auth_command(const Arguments& arguments);
int executor_plugin_command(const Arguments& arguments);
int eval_command(const Arguments& arguments);
int version_command(const Arguments& arguments);
int completion_command(const Arguments& arguments);
/// What completion scripts call: prints candidates for a word that follows others, the command first among them.
int complete_command(const Arguments& before, std::string_view current);

}  // namespace tiphys::cli
