# Everything comes from Debian (tools/bootstrap installs it); static archives where Debian ships them, so that the program is one file to copy and
# starts without a dynamic loader's work.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

# Boost 1.81: tools/bootstrap tells why it is not an installed package.
set(BOOST_ROOT_DIR ${PROJECT_SOURCE_DIR}/.deps/usr)
set(BOOST_LIBRARY_DIR ${BOOST_ROOT_DIR}/lib/${CMAKE_LIBRARY_ARCHITECTURE})
if(NOT EXISTS ${BOOST_ROOT_DIR}/include/boost/json.hpp)
  message(FATAL_ERROR "Boost 1.81 is not there yet: run tools/bootstrap once, or \"make build\", which does.")
endif()
find_path(BOOST_INCLUDE boost/json.hpp PATHS ${BOOST_ROOT_DIR}/include NO_DEFAULT_PATH REQUIRED)
find_library(BOOST_JSON_ARCHIVE libboost_json.a PATHS ${BOOST_LIBRARY_DIR} NO_DEFAULT_PATH REQUIRED)
find_library(BOOST_CONTAINER_ARCHIVE libboost_container.a PATHS ${BOOST_LIBRARY_DIR} NO_DEFAULT_PATH REQUIRED)
include_directories(SYSTEM ${BOOST_INCLUDE})

# tiphys_static_library(TARGET ARCHIVE... ): an interface library of static archives, in link order.
function(tiphys_static_library target)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  foreach(archive ${ARGN})
    find_library(${archive}_PATH NAMES ${archive} REQUIRED)
    target_link_libraries(${target} INTERFACE ${${archive}_PATH})
  endforeach()
  target_link_libraries(${target} INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
endfunction()

tiphys_static_library(fyaml libfyaml.a)
tiphys_static_library(re2::re2 libre2.a)
tiphys_static_library(absl::time libabsl_time.a libabsl_time_zone.a libabsl_civil_time.a libabsl_strings.a libabsl_strings_internal.a
  libabsl_int128.a libabsl_throw_delegate.a libabsl_base.a libabsl_spinlock_wait.a libabsl_raw_logging_internal.a libabsl_log_severity.a)
tiphys_static_library(utf8proc libutf8proc.a)
tiphys_static_library(OpenSSL::Crypto libcrypto.a)
tiphys_static_library(OpenSSL::SSL libssl.a libcrypto.a)
tiphys_static_library(crypt libcrypt.a)
tiphys_static_library(SQLite::SQLite3 libsqlite3.a)
tiphys_static_library(EXPAT::EXPAT libexpat.a)
tiphys_static_library(NGHTTP2::NGHTTP2 libnghttp2.a)
tiphys_static_library(ZLIB::Static libz.a)
tiphys_static_library(LibArchive::LibArchive libarchive.a libnettle.a liblzma.a libbz2.a libzstd.a liblz4.a libacl.a libz.a)

# tiphys_loaded_library(TARGET HEADER): the headers of a library that is loaded when it is needed (base/shared_library.h).
function(tiphys_loaded_library target header)
  string(MAKE_C_IDENTIFIER ${target}_INCLUDE path)
  find_path(${path} ${header} REQUIRED)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE ${${path}})
endfunction()

# Debian ships no archive of libjq; those of the others need Kerberos, of which there is none.
tiphys_loaded_library(jq::headers jq.h)
tiphys_loaded_library(curl::headers curl/curl.h)
tiphys_loaded_library(PostgreSQL::headers postgresql/libpq-fe.h)
tiphys_loaded_library(MariaDB::headers mariadb/mysql.h)

add_library(Boost::json INTERFACE IMPORTED)
target_link_libraries(Boost::json INTERFACE ${BOOST_JSON_ARCHIVE} ${BOOST_CONTAINER_ARCHIVE})

if(TIPHYS_TESTS)
  find_package(GTest REQUIRED)
endif()
