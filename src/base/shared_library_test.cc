#include "base/shared_library.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace tiphys {
namespace {

TEST(SharedLibrary, TheFirstThatIsThereIsLoaded) {
  auto library = SharedLibrary::load({"libof-nobody.so.1", "libc.so.6"}, "tells who runs", "libc6");
  ASSERT_TRUE(library) << library.error().message;
  decltype(&::getpid) pid = nullptr;
  library->bind(pid, "getpid");
  ASSERT_TRUE(library->complete());
  EXPECT_EQ(pid(), ::getpid());
}

TEST(SharedLibrary, WhatIsMissingIsKnown) {
  auto library = SharedLibrary::load({"libc.so.6"}, "tells who runs", "libc6");
  ASSERT_TRUE(library);
  decltype(&::getpid) nothing = &::getpid;
  library->bind(nothing, "no_such_function");
  EXPECT_EQ(nothing, nullptr);
  decltype(&::getpid) pid = nullptr;
  library->bind(pid, "getpid");
  EXPECT_FALSE(library->complete()) << "one is missing still";
}

TEST(SharedLibrary, OneThatIsNotThereSaysWhatToInstall) {
  const auto library = SharedLibrary::load({"libof-nobody.so.1", "libof-nobody.so.0"}, "does nothing", "libof-nobody1");
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(library.error().message, "libof-nobody.so.1, which does nothing, cannot be loaded: install libof-nobody1");
}

}  // namespace
}  // namespace tiphys
