// Which of a plane's refusals no repetition changes.
#pragma once

#include "base/error.h"

namespace tiphys::controllers {

/// The request itself is refused; other errors (disk full, conflict, no connection) may pass.
bool refused_for_good(const Error& error);

}  // namespace tiphys::controllers
