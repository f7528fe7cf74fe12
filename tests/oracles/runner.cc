// Answers rows as tools/oracles does, for differential fuzzing: oracle_runner LANGUAGE <ROWS.
#include <cstdio>
#include <iostream>
#include <string>

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
    auto row = doc::parse_json(line);
    if (!row || !row->is_object()) {
      std::cerr << "oracle_runner: this is no row: " << line << '\n';
      return 2;
    }
    doc::Object& fields = row->get_object();
    if (fields.contains("in") || fields.contains("dependencies")) {
      const oracles::Answer answer = oracles::answer(argv[1], fields);
      for (const char* result : {"out", "type", "error", "missing"}) fields.erase(result);
      if (answer.error.empty()) {
        fields["out"] = answer.out;
        if (!answer.type.empty()) fields["type"] = answer.type;
      } else {
        if (answer.missing) fields["missing"] = true;
        fields["error"] = answer.error.substr(0, answer.error.find('\n'));
      }
    }
    std::cout << doc::to_json(*row) << std::endl;
  }
}
