// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/shown_disk.h"

#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>

#include "e2image_compat/complaint.h"
#include "e2image_compat/source.h"
#include "work/image.h"

namespace e2qcow::compat {
namespace {

struct CloseChannel {
  void operator()(io_channel channel) const { io_channel_close(channel); }
};
using Channel = std::unique_ptr<struct_io_channel, CloseChannel>;

Channel open_channel(const Options& options) {
  io_channel channel = nullptr;
  const errcode_t error = unix_io_manager->open(options.source.c_str(), IO_FLAG_THREADS, &channel);
  if (error != 0) throw no_filesystem(options, error);
  return Channel(channel);
}

std::uint64_t size_of(const std::string& path) {
  blk64_t bytes = 0;
  const errcode_t error = ::ext2fs_get_device_size2(path.c_str(), 1, &bytes);
  if (error != 0) complain(error, "while trying to determine the size of " + path);
  return bytes;
}

// A channel with blocks of one byte; negative counts are bytes, in a number of 31 bits.
class ShownDisk : public ReadableFile {
 public:
  ShownDisk(Channel channel, const std::string& path)
      : channel_(std::move(channel)), name_(path), size_(size_of(path)) {
    io_channel_set_blksize(channel_.get(), 1);
  }

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    constexpr std::size_t kMost = 1 << 30;
    if (offset > size_ || out.size() > size_ - offset)
      fail(Errc::truncated, name_ + ": read past the end of the disk");
    for (std::size_t done = 0; done < out.size();) {
      const auto part = out.subspan(done, std::min(kMost, out.size() - done));
      read_part(offset + done, part);
      done += part.size();
    }
  }

 private:
  void read_part(std::uint64_t offset, std::span<std::byte> out) const {
    const errcode_t error =
        io_channel_read_blk64(channel_.get(), offset, -static_cast<int>(out.size()), out.data());
    if (error != 0)
      fail(Errc::unreadable, fmt::format("{}: read at {}: {}", name_, offset, ::error_message(error)));
  }

  Channel channel_;
  std::string name_;
  std::uint64_t size_;
};

}  // namespace

// Without `exec`, a channel of unix_io_manager has it as its manager.
bool is_shown_as_disk(const Options& options) {
  return work::is_image(options.source) && open_channel(options)->manager != unix_io_manager;
}

std::unique_ptr<ReadableFile> open_shown_disk(const Options& options) {
  if (!is_shown_as_disk(options)) return nullptr;
  return std::make_unique<ShownDisk>(open_channel(options), options.source);
}

}  // namespace e2qcow::compat
