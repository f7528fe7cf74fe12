#include "expr/libjq.h"

#include "base/shared_library.h"

namespace tiphys::expr {
namespace {

Result<Libjq> load() {
  TIPHYS_TRY(SharedLibrary library, SharedLibrary::load({"libjq.so.1"}, "runs jq filters", "libjq1"));
  Libjq jq;
  library.bind(jq.jq_init, "jq_init");
  library.bind(jq.jq_set_error_cb, "jq_set_error_cb");
  library.bind(jq.jq_compile, "jq_compile");
  library.bind(jq.jq_start, "jq_start");
  library.bind(jq.jq_next, "jq_next");
  library.bind(jq.jq_halted, "jq_halted");
  library.bind(jq.jv_parse_sized, "jv_parse_sized");
  library.bind(jq.jv_dump_string, "jv_dump_string");
  library.bind(jq.jv_get_kind, "jv_get_kind");
  library.bind(jq.jv_invalid_has_msg, "jv_invalid_has_msg");
  library.bind(jq.jv_invalid_get_msg, "jv_invalid_get_msg");
  library.bind(jq.jv_number_value, "jv_number_value");
  library.bind(jq.jv_array_length, "jv_array_length");
  library.bind(jq.jv_array_get, "jv_array_get");
  library.bind(jq.jv_object_iter, "jv_object_iter");
  library.bind(jq.jv_object_iter_next, "jv_object_iter_next");
  library.bind(jq.jv_object_iter_valid, "jv_object_iter_valid");
  library.bind(jq.jv_object_iter_value, "jv_object_iter_value");
  library.bind(jq.jv_string_value, "jv_string_value");
  library.bind(jq.jv_string_length_bytes, "jv_string_length_bytes");
  library.bind(jq.jv_copy, "jv_copy");
  library.bind(jq.jv_free, "jv_free");
  if (!library.complete()) return fail(Code::kFailedPrecondition, "libjq.so.1 lacks functions of libjq 1.6");
  return jq;
}

}  // namespace

const Result<Libjq>& libjq() {
  static const Result<Libjq> library = load();
  return library;
}

}  // namespace tiphys::expr
