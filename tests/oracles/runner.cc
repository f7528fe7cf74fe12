// Answers rows as tools/oracles does, for differential fuzzing: oracle_runner LANGUAGE <ROWS.
#include <cstdio>
#include <iostream>
#include <string>

#include "doc/gjson.h"
#include "oracles/answer.h"

int main(int argc, char** argv) {
  using namespace tiphys;
  if (argc != 2) {
    std::fputs("usage: oracle_runner LANGUAGE <ROWS\n", stderr);
    return 2;
  }
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    auto row = oracles::read_row(line);
    if (!row) {
      std::cerr << "oracle_runner: " << row.error().message << '\n';
      return 2;
    }
    doc::Object& fields = row->fields;
    if (row->asks()) {
      const oracles::Answer answer = oracles::answer(argv[1], *row);
      for (const char* result : {"out", "type", "raw", "becomes", "error", "missing"}) fields.erase(result);
      // As it was asked: perhaps the name of a shared document.
      if (fields.contains("with")) fields["with"] = doc::parse_json(doc::gjson_get(line, "with").raw).value();
      if (answer.error.empty()) {
        fields["out"] = answer.out;
        if (!answer.type.empty()) fields["type"] = answer.type;
      } else {
        if (answer.missing) fields["missing"] = true;
        fields["error"] = answer.error.substr(0, answer.error.find('\n'));
      }
    }
    std::cout << doc::to_json(fields) << std::endl;
  }
}
