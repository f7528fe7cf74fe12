// The program's commands.
#pragma once

namespace tiphys::cli {

/// Runs the command that the arguments name. Exit codes: 0 succeeded, 1 failed, 2 bad usage or bad manifest.
int main(int argc, char** argv);

}  // namespace tiphys::cli
