// tiphys cron backfill.
#pragma once

#include "cli/flags.h"

namespace tiphys::cli {

int cron_backfill_command(const Arguments& arguments);

}  // namespace tiphys::cli
