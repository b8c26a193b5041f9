// SPDX-License-Identifier: GPL-2.0-or-later
// The library that `e2qcow exec` loads into programs: if they open a qcow2 image through unix_io_manager they
// get our io_manager, and questions about the file itself are answered for the disk in it. Files that are not
// images are left alone.
#include <blkid.h>
#include <dlfcn.h>
#include <e2qcow/io_manager.h>
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/file/memory_disk.h"
#include "base/file/posix_file.h"
#include "base/printable.h"
#include "plugin/backing_hint.h"
#include "plugin/guard.h"
#include "plugin/image_registry.h"
#include "qcow2/format/read_header.h"

namespace e2qcow::plugin {
namespace {

constexpr int kMaxMessages = 20;

errcode_t (*open_unix)(const char* name, int flags, io_channel* channel) = nullptr;

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before threads
  return value == nullptr ? "" : value;
}

// On standard error, because the messages of programs have no room for the offset; but not without limit.
void say(const std::string& message) {
  static std::atomic<int> said{0};
  const int number = said++;
  if (number < kMaxMessages) std::fprintf(stderr, "e2qcow: %s\n", printable(message).c_str());
  if (number == kMaxMessages) std::fputs("e2qcow: further messages are omitted\n", stderr);
}

void read_settings() {
  settings().overlay = variable(kOverlayVariable);
  settings().temporary = variable(kTemporaryVariable);
  settings().say = say;
  settings().hint = backing_hint;
  std::vector<std::string>& backing = settings().backing;
  for (std::string file; !(file = variable(backing_variable(backing.size()))).empty();)
    backing.push_back(file);
  const std::string cache = variable(kCacheVariable);
  if (!cache.empty()) settings().cache_bytes = std::strtoull(cache.c_str(), nullptr, 10);
}

// A path that cannot be opened, or is not a file, is left to the program.
bool is_image(const char* path) noexcept {
  try {
    return path != nullptr && qcow2::has_magic(*open_for_reading(path));
  } catch (const std::exception&) {
    return false;
  }
}

errcode_t open_channel(const char* name, int flags, io_channel* channel) noexcept {
  return is_image(name) ? e2qcow_io_manager->open(name, flags, channel) : open_unix(name, flags, channel);
}

// The function of libext2fs that ours replaces.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The parts of the disk that can hold signatures: both ends. Unreadable parts have none.
UniqueFd open_for_probing(const char* image_name) {
  constexpr std::uint64_t kFront = 4 << 20;
  constexpr std::uint64_t kBack = 1 << 20;
  const auto image = open_image(image_name, Access::read);
  const std::uint64_t size = image->size();
  UniqueFd memory_disk = open_memory_disk(size);
  const std::uint64_t back = std::min(kBack, size);
  for (const Extent part : {Extent{0, std::min(kFront, size)}, Extent{size - back, back}}) {
    std::vector<std::byte> bytes(part.length);
    if (guarded([&] { image->read(part.offset, bytes); }) == 0)
      write_to_memory_disk(memory_disk, part.offset, bytes);
  }
  return memory_disk;
}

// The program frees the probe, but its file stays open until the program ends.
blkid_probe new_probe_of(const char* image_name) noexcept {
  static std::vector<UniqueFd> files;
  blkid_probe probe = nullptr;
  const errcode_t error = guarded([&] {
    files.push_back(open_for_probing(image_name));
    probe = next<decltype(blkid_new_probe)>("blkid_new_probe")();
    next<decltype(blkid_probe_set_device)>("blkid_probe_set_device")(probe, files.back().get(), 0, 0);
  });
  return error == 0 ? probe : nullptr;
}

// badblocks reads and writes files by itself, and e2fsck and mke2fs run it: it would look for blocks of the
// disk past the end of the image and find them bad, or overwrite the image. "No bad blocks" is its result for
// healthy disks.
void keep_badblocks_away(std::span<char*> words) {
  if (words.empty() || std::string_view(::basename(words[0])) != "badblocks") return;
  for (const char* word : words.subspan(1)) {
    if (!is_image(word)) continue;
    say(std::string(word) + ": badblocks would test the image file instead of the disk, so it is not run");
    std::_Exit(EXIT_FAILURE);
  }
}

__attribute__((constructor)) void load(int count, char** words) noexcept {
  static_cast<void>(guarded([&] {
    keep_badblocks_away({words, static_cast<std::size_t>(count)});
    read_settings();
    open_unix = unix_io_manager->open;
    unix_io_manager->open = open_channel;
  }));
}

}  // namespace
}  // namespace e2qcow::plugin

using namespace e2qcow;          // NOLINT(google-build-using-namespace): what follows must be outside
using namespace e2qcow::plugin;  // NOLINT(google-build-using-namespace)

extern "C" {

// resize2fs, e2fsck.
[[gnu::visibility("default")]] errcode_t ext2fs_get_device_size2(const char* file, int blocksize,
                                                                 blk64_t* retblocks) {
  if (!is_image(file) || blocksize <= 0)
    return next<decltype(ext2fs_get_device_size2)>("ext2fs_get_device_size2")(file, blocksize, retblocks);
  return guarded(
      [&] { *retblocks = open_image(file, Access::read)->size() / static_cast<std::uint64_t>(blocksize); });
}

// resize2fs looks at the file's size, and would truncate the file after shrinking the file system.
[[gnu::visibility("default")]] int ext2fs_open_file(const char* pathname, int flags, mode_t mode) {
  const bool may_change = (flags & O_ACCMODE) == O_RDWR && (flags & (O_CREAT | O_TRUNC)) == 0;
  if (!may_change || !is_image(pathname))
    return next<decltype(ext2fs_open_file)>("ext2fs_open_file")(pathname, flags, mode);
  int fd = -1;
  const errcode_t error =
      guarded([&] { fd = open_memory_disk(open_image(pathname, Access::read)->size()).release(); });
  if (error != 0) errno = EIO;
  return fd;
}

// libext2fs reads this block from the file, past all caches, through a descriptor of its own: it gets one
// with the block at the right offset.
[[gnu::visibility("default")]] errcode_t ext2fs_mmp_read(ext2_filsys fs, blk64_t mmp_blk, void* buf) {
  const auto read = next<decltype(ext2fs_mmp_read)>("ext2fs_mmp_read");
  if (!is_image(fs->device_name)) return read(fs, mmp_blk, buf);
  const errcode_t error = guarded([&] {
    std::vector<std::byte> block(fs->blocksize);
    const errcode_t read_error = io_channel_read_blk64(fs->io, mmp_blk, 1, block.data());
    if (read_error != 0) return;
    UniqueFd memory_disk = open_memory_disk((mmp_blk + 1) * fs->blocksize);
    write_to_memory_disk(memory_disk, mmp_blk * fs->blocksize, block);
    const UniqueFd old(fs->mmp_fd > 0 ? fs->mmp_fd : -1);
    fs->mmp_fd = memory_disk.release();
  });
  return error != 0 ? error : read(fs, mmp_blk, buf);
}

// The description of a disk that programs print if they find no file system on it.
[[gnu::visibility("default")]] blkid_probe blkid_new_probe_from_filename(const char* filename) {
  if (is_image(filename)) return new_probe_of(filename);
  return next<decltype(blkid_new_probe_from_filename)>("blkid_new_probe_from_filename")(filename);
}

[[gnu::visibility("default")]] char* blkid_get_tag_value(blkid_cache cache, const char* tagname,
                                                         const char* devname) {
  if (tagname == nullptr || !is_image(devname))
    return next<decltype(blkid_get_tag_value)>("blkid_get_tag_value")(cache, tagname, devname);
  blkid_probe probe = new_probe_of(devname);
  if (probe == nullptr) return nullptr;
  const char* value = nullptr;
  const bool is_found = next<decltype(blkid_do_safeprobe)>("blkid_do_safeprobe")(probe) == 0 &&
                        next<decltype(blkid_probe_lookup_value)>("blkid_probe_lookup_value")(
                            probe, tagname, &value, nullptr) == 0;
  char* copy = is_found ? ::strdup(value) : nullptr;
  next<decltype(blkid_free_probe)>("blkid_free_probe")(probe);
  return copy;
}

// e2image would read the image itself, and knows only images of its own kind.
[[gnu::visibility("default")]] struct ext2_qcow2_hdr* qcow2_read_header(int) {
  return nullptr;
}
}
