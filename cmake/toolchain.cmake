# Compiler flags, and the tools that make builds fast where they are installed.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror=return-type -fno-omit-frame-pointer)
add_compile_definitions(_GLIBCXX_ASSERTIONS)

if(TIPHYS_SANITIZE)
  add_compile_options(-fsanitize=${TIPHYS_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TIPHYS_SANITIZE})
endif()

# What is left out needs no further library: libarchive's writer of xar, for one, would want libxml2.
add_link_options(-Wl,--gc-sections)
if(NOT TIPHYS_SANITIZE)
  add_link_options(-static-libstdc++ -static-libgcc)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the sources: another checkout, and another build folder of the same one, find what this one compiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
