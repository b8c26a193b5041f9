// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "e2image_compat/complaint.h"

namespace e2qcow::compat {
namespace {

void set_type(Options& options, ImageType type) {
  if (options.type != ImageType::classic) throw UsageError{};
  options.type = type;
}

std::uint64_t number(const char* text) {
  return std::strtoull(text, nullptr, 0);
}

void set_option(Options& options, int letter, const char* argument) {
  switch (letter) {
    case 'b':
      options.superblock = number(argument);
      break;
    case 'B':
      options.block_size = static_cast<std::uint32_t>(number(argument));
      break;
    case 'o':
      options.source_offset = number(argument);
      break;
    case 'O':
      options.target_offset = number(argument);
      break;
    case 'r':
      return set_type(options, ImageType::raw);
    case 'Q':
      return set_type(options, ImageType::qcow2);
    case 'a':
      options.all_data = true;
      break;
    case 'c':
      options.compare = true;
      break;
    case 'f':
      options.force = true;
      break;
    case 'I':
      options.install = true;
      break;
    case 'n':
      options.list_only = true;
      break;
    case 'p':
      options.progress = true;
      break;
    case 's':
      options.anonymize = true;
      break;
    default:
      throw UsageError{};
  }
}

// In the order in which e2image looks.
void check_together(const Options& options) {
  const bool raw = options.type == ImageType::raw;
  const bool classic = options.type == ImageType::classic;
  const bool has_offset = options.source_offset != 0 || options.target_offset != 0;
  if (options.all_data && classic) complain("-a option can only be used with raw or QCOW2 images.");
  if (options.superblock != 0 && classic) complain("-b option can only be used with raw or QCOW2 images.");
  if (has_offset && !raw) complain("Offsets are only allowed with raw images.");
  if (options.move && !raw) complain("Move mode is only allowed with raw images.");
  if (options.move && !options.all_data) complain("Move mode requires all data mode.");
  if (options.anonymize && classic) complain("-s option can only be used with raw or QCOW2 images.");
  if (options.anonymize && options.all_data)
    complain("-s option can not be used with -a: contents of files are not replaced.");
  if (options.install) return;
  if (options.type == ImageType::qcow2 && options.to_stdout())
    complain("QCOW2 image can not be written to the stdout!\n");
  if (options.compare && !raw) throw Complaint("The -c option only supported in raw mode\n");
  if (options.compare && options.to_stdout())
    throw Complaint("The -c option not supported when writing to stdout\n");
  if (options.progress && !raw) throw Complaint("The -p option only supported in raw mode\n");
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.program = argc > 0 ? argv[0] : "e2image";
  ::optind = 0;  // from the start, even if something was parsed before
  for (int letter = 0; (letter = ::getopt(argc, argv, "b:B:nrsIQafo:O:pc")) != -1;)
    set_option(options, letter, ::optarg);
  const int left = argc - ::optind;
  options.move = left == 1 && (options.source_offset != 0 || options.target_offset != 0);
  if (left != 2 && !options.move) throw UsageError{};
  options.source = argv[::optind];
  options.target = options.move ? options.source : argv[::optind + 1];
  check_together(options);
  return options;
}

std::string usage(const std::string& program) {
  return fmt::format(
      "Usage: {0} [ -r|-Q ] [ -f ] [ -b superblock ] [ -B blocksize ] device image-file\n"
      "       {0} -I device image-file\n"
      "       {0} -ra [ -cfnp ] [ -o src_offset ] [ -O dest_offset ] src_fs [ dest_fs ]\n",
      program);
}

}  // namespace e2qcow::compat
