// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/device_options.h"

#include "cli/sizes.h"

namespace e2qcow::cli {

void add_device_options(CLI::App& command, work::DeviceOptions& options) {
  command.add_option("DEVICE", options.path, "The block device or file that holds the file system")
      ->required();
  auto* offset = command.add_option_function<std::string>(
      "--offset", [&options](const std::string& text) { options.offset = parse_size(text); },
      "Offset of the file system in DEVICE");
  offset->type_name("BYTES[k|M|G]");
  command.add_option("--partition", options.partition, "Use partition N of DEVICE (MBR or GPT)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""))
      ->excludes(offset);
  command
      .add_option("--sector-size", options.sector_size,
                  "Sector size of the partition table (512 or 4096), if it cannot be found out")
      ->type_name("BYTES")
      ->check(CLI::IsMember({512U, 4096U}).description(""));
  command.add_option("-b", options.superblock.block, "Use the superblock in this block, as e2fsck -b does")
      ->type_name("SUPERBLOCK");
  command
      .add_option("-B", options.superblock.block_size,
                  "Assume this block size (1024 to 65536), as e2fsck -B does")
      ->type_name("BLOCKSIZE")
      ->check(CLI::IsMember({1024U, 2048U, 4096U, 8192U, 16384U, 32768U, 65536U}).description(""));
  command
      .add_option("--retries", options.retries,
                  "Retry each unreadable block N times, at most 100 (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(0U, 100U).description(""));
  command
      .add_option("--bad-blocks", options.bad_blocks,
                  "GNU ddrescue's map file of DEVICE: areas it does not mark as finished are not read and "
                  "become zeros")
      ->type_name("MAPFILE");
  command.add_flag("--strict", options.strict, "Stop at the first unreadable block");
  command.add_flag_callback(
      "--force", [&options] { options.accept_mounted = options.accept_no_filesystem = true; },
      "Continue even if the device is mounted read-write or no file system is found on it");
}

}  // namespace e2qcow::cli
