// Limits of semaphores: values in ConfigMaps, and SyncLimits, which are the database semaphores' and belong to the
// plane.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "cluster/cluster.h"
#include "doc/value.h"

namespace tiphys::controllers {

/// The longest key of a SyncLimit, in bytes: names of objects have a bound.
inline constexpr std::size_t kLongestSyncKey = 126;

/// The SyncLimit of a database semaphore. Its name is made of the key, which may be what no object's name may be.
cluster::Key sync_limit_key(std::string_view ns, std::string_view key);
doc::Value sync_limit(std::string_view ns, std::string_view key, std::int64_t limit);

/// What stands at the key. An error says what is missing or that it is no whole number.
Result<std::int64_t> limit_in_config_map(const doc::Value& config_map, std::string_view key);
Result<std::int64_t> limit_of(const doc::Value& sync_limit);

}  // namespace tiphys::controllers
