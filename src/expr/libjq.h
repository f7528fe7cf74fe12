// libjq 1.6, loaded when the first filter runs: Debian has no static archive of it, and the program must start where it
// is not installed.
#pragma once

#include <jq.h>

#include "base/error.h"

namespace tiphys::expr {

/// The functions of libjq that filters need, by their names.
struct Libjq {
  decltype(&::jq_init) jq_init = nullptr;
  decltype(&::jq_set_error_cb) jq_set_error_cb = nullptr;
  decltype(&::jq_compile) jq_compile = nullptr;
  decltype(&::jq_start) jq_start = nullptr;
  decltype(&::jq_next) jq_next = nullptr;
  decltype(&::jq_halted) jq_halted = nullptr;
  decltype(&::jv_parse_sized) jv_parse_sized = nullptr;
  decltype(&::jv_dump_string) jv_dump_string = nullptr;
  decltype(&::jv_get_kind) jv_get_kind = nullptr;
  decltype(&::jv_invalid_has_msg) jv_invalid_has_msg = nullptr;
  decltype(&::jv_invalid_get_msg) jv_invalid_get_msg = nullptr;
  decltype(&::jv_number_value) jv_number_value = nullptr;
  decltype(&::jv_array_length) jv_array_length = nullptr;
  decltype(&::jv_array_get) jv_array_get = nullptr;
  decltype(&::jv_object_iter) jv_object_iter = nullptr;
  decltype(&::jv_object_iter_next) jv_object_iter_next = nullptr;
  decltype(&::jv_object_iter_valid) jv_object_iter_valid = nullptr;
  decltype(&::jv_object_iter_value) jv_object_iter_value = nullptr;
  decltype(&::jv_string_value) jv_string_value = nullptr;
  decltype(&::jv_string_length_bytes) jv_string_length_bytes = nullptr;
  decltype(&::jv_copy) jv_copy = nullptr;
  decltype(&::jv_free) jv_free = nullptr;
};

/// Loads it once for the process. An error says what to install.
const Result<Libjq>& libjq();

}  // namespace tiphys::expr
