# Everything comes from Debian (tools/bootstrap installs it); static archives where Debian ships them, so that the
# program is one file to copy.
# Boost 1.81: tools/bootstrap tells why it is not an installed package.
set(BOOST_ROOT_DIR ${PROJECT_SOURCE_DIR}/.deps/usr)
find_path(BOOST_INCLUDE boost/json.hpp PATHS ${BOOST_ROOT_DIR}/include NO_DEFAULT_PATH REQUIRED)
find_library(BOOST_JSON_ARCHIVE libboost_json.a PATHS ${BOOST_ROOT_DIR}/lib/x86_64-linux-gnu ${BOOST_ROOT_DIR}/lib/aarch64-linux-gnu NO_DEFAULT_PATH REQUIRED)
find_library(BOOST_CONTAINER_ARCHIVE libboost_container.a PATHS ${BOOST_ROOT_DIR}/lib/x86_64-linux-gnu ${BOOST_ROOT_DIR}/lib/aarch64-linux-gnu NO_DEFAULT_PATH REQUIRED)
include_directories(SYSTEM ${BOOST_INCLUDE})
add_library(Boost::json INTERFACE IMPORTED)
target_link_libraries(Boost::json INTERFACE ${BOOST_JSON_ARCHIVE} ${BOOST_CONTAINER_ARCHIVE})
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

if(TIPHYS_TESTS)
  find_package(GTest REQUIRED)
endif()
