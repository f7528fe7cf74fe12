#include "node/init/raw_files.h"

#include <time.h>

#include "node/init/raw_syscall.h"
#include "node/init/step_plan.h"

namespace tiphys::node {
namespace {

constexpr int kFolderMode = 0755;

}  // namespace

std::int64_t now_ns() {
  timespec time;
  raw(SYS_clock_gettime, CLOCK_REALTIME, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void make_folders(int at, const char* path, bool whole) {
  char part[kLongestPath];
  std::size_t size = 0;
  for (; path[size] != 0 && size < kLongestPath - 1; ++size) {
    if (path[size] == '/' && size != 0) {
      part[size] = 0;
      raw(SYS_mkdirat, at, part, kFolderMode);
    }
    part[size] = path[size];
  }
  part[size] = 0;
  if (whole) raw(SYS_mkdirat, at, part, kFolderMode);
}

void copy_bytes(char* to, const char* from, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    to[i] = from[i];
    __asm__ volatile("" ::: "memory");
  }
}

}  // namespace tiphys::node
