#include "base/spare_memory.h"

#include <malloc.h>

namespace tiphys {
namespace {

constexpr int kLargeBytes = 1 << 20;

}  // namespace

void return_large_memory() {
#ifdef __GLIBC__
  // Otherwise its threshold follows what is freed, up to 32 MiB, and nothing smaller is ever given back.
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
#endif
}

void return_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace tiphys
