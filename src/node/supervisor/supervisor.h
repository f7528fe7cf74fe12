// The supervisor of a data directory: a small process of its own that starts the steps of the process runtime, keeps
// each step's end on disk, and outlives the program that started it.
//
// In the data directory: supervisor/sock, where it listens; supervisor/lock, held while it runs; supervisor/journal,
// what it knows of steps; supervisor/log, what it has to complain about; supervisor/roots, empty roots for reuse.
// It ends by itself when no step runs and no client is connected.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys::node {

/// Connects to the supervisor of the data directory `dir`, and starts it when none runs: a copy of this process,
/// forked, that never returns from here. Cheapest very early in main(), while this process is small and has one thread.
/// The socket has been greeted; give it to SupervisorClient.
Result<UniqueFd> ensure_supervisor(const std::string& dir);

}  // namespace tiphys::node
