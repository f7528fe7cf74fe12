// How the command of a container of a containerSet is run again when it fails.
#pragma once

#include "base/error.h"
#include "base/time.h"
#include "doc/value.h"

namespace tiphys::api {

struct CommandAttempts {
  int most = 1;       ///< how often it is run in all
  Duration pause{0};  ///< between two of them
};

/// Reads `container_set`.retryStrategy, whose texts hold no tags any more. Like the original's, `retries` counts the
/// first attempt too; 0, with which the original would run nothing at all, is 1 here.
Result<CommandAttempts> command_attempts(const doc::Value& container_set);

}  // namespace tiphys::api
