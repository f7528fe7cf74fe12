# Everything comes from Debian (tools/bootstrap installs it); static archives where Debian ships them, so that the
# program is one file to copy.
find_package(Boost 1.81 REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(LibArchive REQUIRED)

function(tiphys_static_library target archive)
  find_library(${target}_ARCHIVE NAMES ${archive} REQUIRED)
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_ARCHIVE})
endfunction()

tiphys_static_library(fyaml libfyaml.a)
tiphys_static_library(re2_archive libre2.a)
add_library(re2 INTERFACE)
target_link_libraries(re2 INTERFACE re2_archive Threads::Threads)
add_library(re2::re2 ALIAS re2)
tiphys_static_library(boost_json_archive libboost_json.a)
add_library(boost_json INTERFACE)
target_link_libraries(boost_json INTERFACE boost_json_archive)
add_library(Boost::json ALIAS boost_json)

if(TIPHYS_TESTS)
  find_package(GTest REQUIRED)
endif()
