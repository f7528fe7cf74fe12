// The tables of the store's database and their versions.
#pragma once

#include <string>

#include "base/random.h"
#include "base/time.h"
#include "store/sqlite.h"
#include "store/vault.h"

namespace tiphys::store {

/// Makes the tables of a new database, or brings those of an older program up to date. kFailedPrecondition when a newer
/// program wrote them. A new database gets the namespace "default".
Status prepare_schema(Database& database, Vault& vault, Random& random, Time now);

}  // namespace tiphys::store
