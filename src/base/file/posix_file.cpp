// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/posix_file.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/file/qemu_locks.h"
#include "base/stop.h"

namespace e2qcow {
namespace {

// One system call zeroes at most this much, so that a signal is noticed between calls.
constexpr std::uint64_t kZeroStep = 64 << 20;
constexpr std::size_t kMaxParts = 64;
constexpr std::uint64_t kShareUnit = 4096;   // file systems share whole blocks
constexpr std::uint64_t kDirectUnit = 4096;  // what direct writes are aligned to, whatever the disk's sectors
constexpr std::uint64_t kDirectBytes = 256 * 1024;  // smaller writes would wait for the disk one by one

struct stat status_of(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail_errno(name + ": stat");
  return status;
}

bool check_is_block_device(int fd, const std::string& name) {
  const mode_t mode = status_of(fd, name).st_mode;
  if (!S_ISREG(mode) && !S_ISBLK(mode))
    fail(Errc::refused, name + ": neither a regular file nor a block device");
  return S_ISBLK(mode);
}

UniqueFd open_once_more(int fd, int flags) {
  return UniqueFd(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), flags));
}

// An interrupted call is repeated, unless the signal asked us to stop.
bool interrupted() {
  if (errno != EINTR) return false;
  throw_if_stopped();
  return true;
}

}  // namespace

PosixFile::PosixFile(UniqueFd fd, std::string name, const Options& options)
    : fd_(std::move(fd)), name_(std::move(name)), is_block_device_(check_is_block_device(fd_.get(), name_)) {
  if (is_block_device_) number_ = status_of(fd_.get(), name_).st_rdev;
  if (is_block_device_ && ::ioctl(fd_.get(), BLKGETSIZE64, &device_size_) != 0)
    fail_errno(name_ + ": size of the device");
  if (options.takes_hints) prefetcher_ = std::make_unique<Prefetcher>(fd_.get());
  if (!options.reads_ahead) ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_RANDOM);
  if (options.writes_directly) direct_fd_ = open_once_more(fd_.get(), O_WRONLY | O_DIRECT | O_CLOEXEC);
}

std::uint64_t PosixFile::size() const {
  return is_block_device_ ? device_size_ : static_cast<std::uint64_t>(status_of(fd_.get(), name_).st_size);
}

void PosixFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && interrupted()) continue;
    if (n < 0) fail_errno(fmt::format("{}: read at {}", name_, offset));
    if (n == 0) fail(Errc::truncated, fmt::format("{}: read at {}: the file ends there", name_, offset));
    offset += static_cast<std::uint64_t>(n);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

// How much was written: less than everything on a full disk, for example.
ssize_t PosixFile::write_some(std::uint64_t offset, std::span<const iovec> vectors) {
  known_data_.forget();
  while (true) {
    const int fd = fd_for_writing(offset, vectors);
    const ssize_t n =
        ::pwritev(fd, vectors.data(), static_cast<int>(vectors.size()), static_cast<off_t>(offset));
    if (n >= 0) return n;
    if (interrupted()) continue;
    const bool not_like_this = errno == EINVAL && fd != fd_.get();
    if (!not_like_this) fail_errno(fmt::format("{}: write at {}", name_, offset));
    can_write_directly_.store(false, std::memory_order_relaxed);
  }
}

void PosixFile::write(std::uint64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const iovec vector{const_cast<std::byte*>(data.data()), data.size()};
    const auto n = static_cast<std::size_t>(write_some(offset, {&vector, 1}));
    offset += n;
    data = data.subspan(n);
  }
}

void PosixFile::write(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) {
  while (!parts.empty()) {
    std::array<iovec, kMaxParts> vectors;
    const std::size_t count = std::min(parts.size(), kMaxParts);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
      total += parts[i].size();
    }
    const auto n = static_cast<std::uint64_t>(write_some(offset, std::span(vectors).first(count)));
    if (n < total) File::write(offset, parts.first(count));  // reports the reason when the rest is written
    offset += total;
    parts = parts.subspan(count);
  }
}

// Writing through the page cache is fast as long as the kernel can defer the writing, which it does up to a
// fraction of the memory. Larger outputs wait for the disk in any case; direct writes then save the copy and
// leave the cache to other programs.
void PosixFile::expect_writes(std::uint64_t bytes) {
  constexpr std::uint64_t kShareOfMemory = 10;
  const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  if (bytes >= memory / kShareOfMemory)
    can_write_directly_.store(direct_fd_.get() >= 0, std::memory_order_relaxed);
}

int PosixFile::fd_for_writing(std::uint64_t offset, std::span<const iovec> vectors) const {
  if (!can_write_directly_.load(std::memory_order_relaxed)) return fd_.get();
  std::uint64_t total = 0;
  std::uint64_t alignment = offset;
  for (const iovec& vector : vectors) {
    total += vector.iov_len;
    alignment |= vector.iov_len | reinterpret_cast<std::uintptr_t>(vector.iov_base);
  }
  return total >= kDirectBytes && alignment % kDirectUnit == 0 ? direct_fd_.get() : fd_.get();
}

void PosixFile::resize(std::uint64_t new_size) {
  known_data_.forget();
  if (is_block_device_ && new_size <= device_size_) return;
  if (is_block_device_)
    fail(Errc::too_small,
         fmt::format("{}: {} bytes are needed, the device has {}", name_, new_size, device_size_));
  if (::ftruncate(fd_.get(), static_cast<off_t>(new_size)) != 0)
    fail_errno(fmt::format("{}: set the size to {}", name_, new_size));
}

bool PosixFile::zero_by_kernel(Extent range, Zeroing how) {
  known_data_.forget();
  const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  const int mode = how == Zeroing::discard ? punch : FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
  while (::fallocate(fd_.get(), mode, static_cast<off_t>(range.offset), static_cast<off_t>(range.length)) !=
         0) {
    if (interrupted()) continue;
    if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENODEV) return false;
    fail_errno(fmt::format("{}: clear {} bytes at {}", name_, range.length, range.offset));
  }
  return true;
}

void PosixFile::zero(Extent range, Zeroing how) {
  while (!range.empty()) {
    throw_if_stopped();
    const Extent step{range.offset, std::min(range.length, kZeroStep)};
    const bool other_way = how == Zeroing::discard && zero_by_kernel(step, Zeroing::discard);
    if (!other_way && !zero_by_kernel(step, Zeroing::keep_allocated)) File::zero(step, how);
    range = {step.end(), range.length - step.length};
  }
}

void PosixFile::sync() {
  if (::fsync(fd_.get()) != 0) fail_errno(name_ + ": sync");
}

void PosixFile::write_back(Extent range) {
  ::sync_file_range(fd_.get(), static_cast<off_t>(range.offset), static_cast<off_t>(range.length),
                    SYNC_FILE_RANGE_WRITE);
}

bool PosixFile::share(std::uint64_t offset, const Descriptor& from, std::uint64_t length) {
  const bool aligned = (offset | from.offset | length) % kShareUnit == 0;
  known_data_.forget();
  if (!aligned || !can_share_.load(std::memory_order_relaxed)) return false;
  file_clone_range range{from.fd, from.offset, length, offset};
  if (::ioctl(fd_.get(), FICLONERANGE, &range) == 0) return true;
  can_share_.store(false, std::memory_order_relaxed);  // another file system, or one that cannot
  return false;
}

void PosixFile::drop_cache() const {
  ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
}

void PosixFile::close() {
  prefetcher_.reset();
  direct_fd_ = UniqueFd();
  // EINTR: Linux has closed it all the same.
  if (::close(fd_.release()) != 0 && errno != EINTR) fail_errno(name_ + ": close");
}

std::optional<Extent> PosixFile::next_data(std::uint64_t offset) const {
  if (is_block_device_) return File::next_data(offset);
  if (const auto known = known_data_.at(offset)) return known->data;
  const auto found = find_data(offset);
  known_data_.add({offset, found});
  return found;
}

std::optional<Extent> PosixFile::find_data(std::uint64_t offset) const {
  const off_t data = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0 && errno == ENXIO) return std::nullopt;
  if (data < 0) return File::next_data(offset);
  const off_t hole = ::lseek(fd_.get(), data, SEEK_HOLE);
  const auto start = static_cast<std::uint64_t>(data);
  if (hole <= data) return Extent{start, size() - start};
  return Extent{start, static_cast<std::uint64_t>(hole - data)};
}

bool PosixFile::can_still_read(std::uint64_t offset) const {
  constexpr std::uint64_t kPage = 4096;
  std::array<std::byte, 512> sector;
  const auto page = static_cast<off_t>(offset / kPage * kPage);
  ::posix_fadvise(fd_.get(), page, kPage,
                  POSIX_FADV_DONTNEED);  // the cache answers for a device that is gone
  return ::pread(fd_.get(), sector.data(), sector.size(), static_cast<off_t>(offset)) >= 0;
}

void PosixFile::prefetch(Extent range) const {
  if (prefetcher_) prefetcher_->prefetch(range);
}

std::unique_ptr<PosixFile> open_for_reading(const std::string& path, const PosixFile::Options& options) {
  return open_for_reading(path, path, options);
}

std::unique_ptr<PosixFile> open_for_reading(const std::string& path, const std::string& name,
                                            const PosixFile::Options& options) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) fail_errno(name + ": open");
  return std::make_unique<PosixFile>(std::move(fd), name, options);
}

std::unique_ptr<PosixFile> open_for_update(const std::string& path) {
  return open_for_update(path, path);
}

std::unique_ptr<PosixFile> open_for_update(const std::string& path, const std::string& name) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) fail_errno(name + ": open for writing");
  auto file = std::make_unique<PosixFile>(std::move(fd), name);
  if (::flock(file->fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) fail(Errc::in_use, name + ": is being written by another program");
    fail_errno(name + ": lock");
  }
  if (!lock_as_qemu(file->fd())) fail(Errc::in_use, name + ": is open in QEMU or one of its programs");
  return file;
}

std::unique_ptr<PosixFile> open_device_for_writing(const std::string& path,
                                                   const PosixFile::Options& options) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_EXCL | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0 && errno == EBUSY)
    fail(Errc::in_use,
         path + ": open for writing: the device is in use (mounted, or part of another device)");
  if (fd.get() < 0) fail_errno(path + ": open for writing");
  return std::make_unique<PosixFile>(std::move(fd), path, options);
}

}  // namespace e2qcow
