// Files that the build puts into the program.
#pragma once

#include <cstddef>
#include <string_view>

/// Defines `std::string_view NAME()`, the bytes of FILE (a string literal: a path that the build gives) in the
/// read-only data of the program. For namespace scope of one .cc file; NAME is a symbol of the program and has to be
/// its only one.
#define TIPHYS_EMBED(NAME, FILE)                                                \
  asm(".section .rodata\n" #NAME                                                \
      "_begin:\n"                                                               \
      ".incbin \"" FILE "\"\n" #NAME                                            \
      "_end:\n"                                                                 \
      ".previous\n");                                                           \
  extern "C" const char NAME##_begin[], NAME##_end[];                           \
  static std::string_view NAME() {                                              \
    return {NAME##_begin, static_cast<std::size_t>(NAME##_end - NAME##_begin)}; \
  }
