#include "cli/command.h"
namespace e2qcow::cli {
void add_check(CLI::App&, Chosen&) {}
}  // namespace e2qcow::cli
