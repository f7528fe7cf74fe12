#include "cli/cli.h"

int main(int argc, char** argv) {
  return tiphys::cli::main(argc, argv);
}
