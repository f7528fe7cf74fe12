#include "expr/libjq.h"

#include <dlfcn.h>

namespace tiphys::expr {
namespace {

Result<Libjq> load() {
  // All symbols are bound now: a child of a process with threads must not run the dynamic loader.
  void* const library = ::dlopen("libjq.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return fail(Code::kFailedPrecondition, "libjq.so.1, which runs jq filters, cannot be loaded: install libjq1");
  }
  Libjq jq;
  bool complete = true;
  const auto bind = [&]<typename Function>(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    complete = complete && function != nullptr;
  };
  bind(jq.jq_init, "jq_init");
  bind(jq.jq_set_error_cb, "jq_set_error_cb");
  bind(jq.jq_compile, "jq_compile");
  bind(jq.jq_start, "jq_start");
  bind(jq.jq_next, "jq_next");
  bind(jq.jq_halted, "jq_halted");
  bind(jq.jv_parse_sized, "jv_parse_sized");
  bind(jq.jv_dump_string, "jv_dump_string");
  bind(jq.jv_get_kind, "jv_get_kind");
  bind(jq.jv_invalid_has_msg, "jv_invalid_has_msg");
  bind(jq.jv_invalid_get_msg, "jv_invalid_get_msg");
  bind(jq.jv_number_value, "jv_number_value");
  bind(jq.jv_array_length, "jv_array_length");
  bind(jq.jv_array_get, "jv_array_get");
  bind(jq.jv_object_iter, "jv_object_iter");
  bind(jq.jv_object_iter_next, "jv_object_iter_next");
  bind(jq.jv_object_iter_valid, "jv_object_iter_valid");
  bind(jq.jv_object_iter_value, "jv_object_iter_value");
  bind(jq.jv_string_value, "jv_string_value");
  bind(jq.jv_string_length_bytes, "jv_string_length_bytes");
  bind(jq.jv_copy, "jv_copy");
  bind(jq.jv_free, "jv_free");
  if (!complete) return fail(Code::kFailedPrecondition, "libjq.so.1 lacks functions of libjq 1.6");
  return jq;
}

}  // namespace

const Result<Libjq>& libjq() {
  static const Result<Libjq> library = load();
  return library;
}

}  // namespace tiphys::expr
