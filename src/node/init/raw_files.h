// What more than one part of an init does with raw system calls.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiphys::node {

/// CLOCK_REALTIME in nanoseconds.
std::int64_t now_ns();

/// Makes the folders that lead to `path` in the folder `at`, and itself when `whole`. A path that cannot be made is
/// told by its use.
void make_folders(int at, const char* path, bool whole);

/// As memcpy, also to a lower place that overlaps. The compiler turns plain copying loops into calls of memmove, whose
/// lazy binding is not an init's to trigger.
void copy_bytes(char* to, const char* from, std::size_t size);

}  // namespace tiphys::node
