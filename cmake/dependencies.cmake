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
# Debian ships no archive of libjq: src/expr/libjq.cc loads it when it is needed, so that only its headers are.
find_path(JQ_INCLUDE jq.h REQUIRED)
add_library(jq::headers INTERFACE IMPORTED)
target_include_directories(jq::headers INTERFACE ${JQ_INCLUDE})
target_link_libraries(jq::headers INTERFACE ${CMAKE_DL_LIBS})
# The archive of libcurl needs Kerberos, of which there is none: src/web/libcurl.cc loads it when it is needed.
find_path(CURL_INCLUDE curl/curl.h REQUIRED)
add_library(curl::headers INTERFACE IMPORTED)
target_include_directories(curl::headers INTERFACE ${CURL_INCLUDE})
target_link_libraries(curl::headers INTERFACE ${CMAKE_DL_LIBS})
# The same holds for libpq and libmariadb: src/persist/libpq.cc, libmariadb.cc.
find_path(PQ_INCLUDE postgresql/libpq-fe.h REQUIRED)
add_library(PostgreSQL::headers INTERFACE IMPORTED)
target_include_directories(PostgreSQL::headers INTERFACE ${PQ_INCLUDE})
target_link_libraries(PostgreSQL::headers INTERFACE ${CMAKE_DL_LIBS})
find_path(MARIADB_INCLUDE mariadb/mysql.h REQUIRED)
add_library(MariaDB::headers INTERFACE IMPORTED)
target_include_directories(MariaDB::headers INTERFACE ${MARIADB_INCLUDE})
target_link_libraries(MariaDB::headers INTERFACE ${CMAKE_DL_LIBS})
add_library(Boost::json INTERFACE IMPORTED)
target_link_libraries(Boost::json INTERFACE ${BOOST_JSON_ARCHIVE} ${BOOST_CONTAINER_ARCHIVE})

if(TIPHYS_TESTS)
  find_package(GTest REQUIRED)
endif()
