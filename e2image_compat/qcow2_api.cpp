// SPDX-License-Identifier: GPL-2.0-or-later
// The two functions of <ext2fs/qcow2.h>, as libext2fs exports them.
#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/bytes.h"
#include "base/file/posix_file.h"
#include "base/storage.h"
#include "base/unique_fd.h"
#include "e2image_compat/restore.h"
#include "qcow2/format/read_header.h"

extern "C" {
#include <ext2fs/qcow2.h>
}

namespace e2qcow::compat {
namespace {

static_assert(sizeof(ext2_qcow2_hdr) == qcow2::kHeaderLengthV2);

// The caller keeps its own descriptor.
UniqueFd duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (copy.get() < 0) fail_errno("descriptor");
  return copy;
}

bool is_stream(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail_errno("target: stat");
  return !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode);
}

// All writes go to its end.
bool is_for_appending(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_APPEND) != 0;
}

bool is_encrypted(const ReadableFile& file) {
  std::array<std::byte, qcow2::kHeaderLengthV3> bytes{};
  const std::size_t there = file.read_up_to(0, bytes);
  return qcow2::decode_fields(std::span(bytes).first(there), file.name()).crypt_method != 0;
}

void write_disk(const work::Image& image, int raw_fd) {
  if (is_stream(raw_fd)) {
    OutputStream target(raw_fd, "target");
    return restore_to_stream(image, target);
  }
  PosixFile target(duplicate(raw_fd), "target");
  if (target.is_block_device()) return restore_in_place(image, target, 0);
  target.resize(0);
  restore_to_empty_file(image, target, Durability::none);
}

int write_raw_image(int qcow2_fd, int raw_fd) {
  auto file = std::make_unique<PosixFile>(duplicate(qcow2_fd), "image");
  if (is_encrypted(*file)) return -QCOW_ENCRYPTED;
  if (!is_stream(raw_fd) && is_for_appending(raw_fd)) return EINVAL;
  if (overlap(stored_ranges(qcow2_fd), stored_ranges(raw_fd))) return EINVAL;
  write_disk(read_image(std::move(file)), raw_fd);
  return 0;
}

// As <ext2fs/qcow2.h> has them: an errno, or the negative of a QCOW_ constant.
int result_of(const std::error_code& code) {
  if (code.category() != e2qcow_category()) return code.value();
  if (code == Errc::unsupported || code == Errc::missing_backing) return EOPNOTSUPP;
  if (code == Errc::too_small) return ENOSPC;
  if (code == Errc::interrupted) return EINTR;
  return -QCOW_CORRUPTED;
}

ext2_qcow2_hdr* read_header(int fd) {
  const PosixFile image(duplicate(fd), "image");
  std::array<std::byte, sizeof(ext2_qcow2_hdr)> bytes{};
  if (image.read_up_to(0, bytes) != bytes.size() || !qcow2::has_magic(image)) return nullptr;
  const auto version = load_be<std::uint32_t>(bytes, 4);
  if (version != 2 && version != 3) return nullptr;
  auto* header = static_cast<ext2_qcow2_hdr*>(std::malloc(bytes.size()));  // the caller calls free()
  if (header != nullptr) std::memcpy(header, bytes.data(), bytes.size());
  return header;
}

}  // namespace
}  // namespace e2qcow::compat

extern "C" {

__attribute__((visibility("default"))) ext2_qcow2_hdr* qcow2_read_header(int fd) {
  try {
    return e2qcow::compat::read_header(fd);
  } catch (...) {
    return nullptr;
  }
}

// The header is read again, because the caller's copy was not checked.
__attribute__((visibility("default"))) int qcow2_write_raw_image(int qcow2_fd, int raw_fd, ext2_qcow2_hdr*) {
  try {
    return e2qcow::compat::write_raw_image(qcow2_fd, raw_fd);
  } catch (const std::system_error& error) {
    return e2qcow::compat::result_of(error.code());
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (...) {
    return -QCOW_CORRUPTED;
  }
}

}  // extern "C"
