// SPDX-License-Identifier: GPL-2.0-or-later
// The library that `e2qcow exec` loads into programs: if they open a qcow2 image through unix_io_manager they
// get our io_manager, and questions about the file itself are answered for the disk in it. Files that are not
// images are left alone.
#include "plugin/preload.h"

#include <blkid.h>
#include <e2qcow/io_manager.h>
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

#include "base/file/memory_disk.h"
#include "base/file/shared_file.h"
#include "base/printable.h"
#include "plugin/file_hints.h"
#include "plugin/guard.h"
#include "plugin/image_registry.h"
#include "plugin/image_words.h"
#include "plugin/next_function.h"
#include "work/image.h"

namespace e2qcow::plugin {
namespace {

constexpr int kMaxMessages = 20;
constexpr int kNotRun = 126;

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

std::vector<std::string> read_list(const std::string& name) {
  std::vector<std::string> list;
  for (std::string element; !(element = variable(list_variable(name, list.size()))).empty();)
    list.push_back(element);
  return list;
}

std::vector<NamedOverlay> read_overlays() {
  const std::vector<std::string> images = read_list(kOverlayImageList);
  const std::vector<std::string> files = read_list(kOverlayList);
  std::vector<NamedOverlay> overlays;
  for (std::size_t i = 0; i < std::min(images.size(), files.size()); ++i)
    overlays.push_back({images[i] == kAnyImage ? "" : images[i], files[i]});
  return overlays;
}

// Hints at options of `e2qcow exec`.
std::string hint(const std::error_code& code) {
  if (code == Errc::other_overlay) return "; name one for each image with --overlay IMAGE=FILE";
  if (code == Errc::missing_data_file) return std::string("; ") + kDataFileHint;
  if (code == Errc::wrong_digest) return "; exec --no-verify shows it as it is";
  return backing_hint(code);
}

void read_settings() {
  settings().overlays = read_overlays();
  settings().temporaries = read_list(kTemporaryList);
  settings().run = variable(kRunVariable);
  settings().backing = read_list(kBackingList);
  settings().data_files = read_list(kDataFileList);
  settings().verify = variable(kVerifyVariable) != "no";
  settings().say = say;
  settings().hint = hint;
  const std::string cache = variable(kCacheVariable);
  if (!cache.empty()) settings().cache_bytes = std::strtoull(cache.c_str(), nullptr, 10);
}

errcode_t open_channel(const char* name, int flags, io_channel* channel) noexcept {
  return is_shown_as_disk(name) ? e2qcow_io_manager->open(name, flags, channel)
                                : open_unix(name, flags, channel);
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
    if (!is_shown_as_disk(word)) continue;
    say(std::string(word) + ": badblocks would test the image file instead of the disk, so it is not run");
    std::_Exit(EXIT_FAILURE);
  }
}

// Programs with their own copy of libext2fs, as a plain build of e2fsprogs makes them, use that, and would
// write to the image file. The name of unix_io_manager is in each copy.
bool has_own_library() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::string program(std::istreambuf_iterator<char>(file), {});
  return program.find(unix_io_manager->name) != std::string::npos;
}

void keep_own_libraries_away(std::span<char*> words) {
  if (words.empty() || !find_image({words.begin() + 1, words.end()}) || !has_own_library()) return;
  say(std::string(words[0]) +
      ": has a copy of libext2fs built in and would open the image file itself, so it is not run; configure "
      "e2fsprogs with --enable-elf-shlibs, or restore the image and use the disk");
  mark_shared_file(settings().run);  // nothing more to say
  std::_Exit(kNotRun);
}

__attribute__((constructor)) void load(int count, char** words) noexcept {
  static_cast<void>(guarded([&] {
    read_settings();
    keep_badblocks_away({words, static_cast<std::size_t>(count)});
    keep_own_libraries_away({words, static_cast<std::size_t>(count)});
    open_unix = unix_io_manager->open;
    unix_io_manager->open = open_channel;
  }));
}

}  // namespace

bool is_shown_as_disk(const char* path) noexcept {
  try {
    if (path == nullptr || !work::is_image(path)) return false;
    mark_shared_file(settings().run);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace e2qcow::plugin

using namespace e2qcow;          // NOLINT(google-build-using-namespace): what follows must be outside
using namespace e2qcow::plugin;  // NOLINT(google-build-using-namespace)

extern "C" {

// resize2fs, e2fsck.
[[gnu::visibility("default")]] errcode_t ext2fs_get_device_size2(const char* file, int blocksize,
                                                                 blk64_t* retblocks) {
  if (!is_shown_as_disk(file) || blocksize <= 0)
    return next<decltype(ext2fs_get_device_size2)>("ext2fs_get_device_size2")(file, blocksize, retblocks);
  return guarded(
      [&] { *retblocks = open_image(file, Access::read)->size() / static_cast<std::uint64_t>(blocksize); });
}

// resize2fs looks at the file's size, and would truncate the file after shrinking the file system.
[[gnu::visibility("default")]] int ext2fs_open_file(const char* pathname, int flags, mode_t mode) {
  const bool may_change = (flags & O_ACCMODE) == O_RDWR && (flags & (O_CREAT | O_TRUNC)) == 0;
  if (!may_change || !is_shown_as_disk(pathname))
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
  if (!is_shown_as_disk(fs->device_name)) return read(fs, mmp_blk, buf);
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
  if (is_shown_as_disk(filename)) return new_probe_of(filename);
  return next<decltype(blkid_new_probe_from_filename)>("blkid_new_probe_from_filename")(filename);
}

[[gnu::visibility("default")]] char* blkid_get_tag_value(blkid_cache cache, const char* tagname,
                                                         const char* devname) {
  if (tagname == nullptr || !is_shown_as_disk(devname))
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
