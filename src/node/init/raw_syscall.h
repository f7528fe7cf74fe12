// System calls that touch neither errno nor the C library: for code that shares its address space and thread-local
// storage with another process.
#pragma once

#include <sys/syscall.h>

namespace tiphys::node {

namespace raw_detail {

template <typename T>
inline long as_register(T value) {
  return reinterpret_cast<long>(value);
}
inline long as_register(long value) {
  return value;
}
inline long as_register(unsigned long value) {
  return static_cast<long>(value);
}
inline long as_register(int value) {
  return value;
}
inline long as_register(unsigned value) {
  return static_cast<long>(value);
}
inline long as_register(decltype(nullptr)) {
  return 0;
}

// Inlined always: a child that shares our stack must not return into a frame that its parent still uses.
[[gnu::always_inline]] inline long call(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
#else
#error "the supervisor knows the system calls of x86-64 and arm64 only"
#endif
}

}  // namespace raw_detail

/// The kernel's answer: negative is -errno.
template <typename A = long, typename B = long, typename C = long, typename D = long, typename E = long,
          typename F = long>
[[gnu::always_inline]] inline long raw(long number, A a = 0, B b = 0, C c = 0, D d = 0, E e = 0, F f = 0) {
  using raw_detail::as_register;
  return raw_detail::call(number, as_register(a), as_register(b), as_register(c), as_register(d), as_register(e),
                          as_register(f));
}

}  // namespace tiphys::node
