// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/device_options.h"

#include <limits>

#include "cli/command.h"
#include "cli/remote_options.h"
#include "cli/sizes.h"

namespace e2qcow::cli {

void add_device_options(CLI::App& command, work::DeviceOptions& options) {
  command
      .add_option(
          "DEVICE", options.path,
          "The block device or file that holds the file system, or the NBD server (nbd://HOST/NAME, or [ "
          "COMMAND ... ] that starts one)")
      ->required();
  auto* offset = add_size_option(command, "--offset", options.offset, "Offset of the file system in DEVICE");
  offset->type_name("BYTES[k|M|G]");
  add_number_option(command, "--partition", options.partition, {1, 1024},
                    "Use partition N of DEVICE (MBR or GPT)")
      ->type_name("N")
      ->excludes(offset);
  add_number_option(command, "--sector-size", options.sector_size, {512, 4096},
                    "Sector size of the partition table (512 or 4096), if it cannot be found out")
      ->type_name("BYTES")
      ->check(one_of({"512", "4096"}));
  add_number_option(command, "-b", options.superblock.block, {0, std::numeric_limits<std::uint64_t>::max()},
                    "Use the superblock in this block, as e2fsck -b does")
      ->type_name("SUPERBLOCK");
  add_number_option(command, "-B", options.superblock.block_size, {1024, 65536},
                    "Assume this block size (1024 to 65536), as e2fsck -B does")
      ->type_name("BLOCKSIZE")
      ->check(one_of({"1024", "2048", "4096", "8192", "16384", "32768", "65536"}));
  add_number_option(command, "--retries", options.retries, {0, 100},
                    "Retry each unreadable block N times, at most 100 (default: 1)")
      ->type_name("N");
  command
      .add_option("--bad-blocks", options.bad_blocks,
                  "GNU ddrescue's map file of DEVICE: areas it does not mark as finished are not read and "
                  "become zeros")
      ->type_name("MAPFILE");
  command
      .add_option(
          "--journal", options.journal,
          "The device with the file system's journal, if it is a device of its own (default: found by its "
          "UUID)")
      ->type_name("DEVICE");
  add_remote_options(command, options.remote);
  command.add_flag("--strict", options.strict, "Stop at the first unreadable block");
  command.add_flag_callback(
      "--force", [&options] { options.accept_mounted = options.accept_no_filesystem = true; },
      "Continue even if the device is mounted read-write or no file system is found on it");
}

}  // namespace e2qcow::cli
