// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/io_manager.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "plugin/guard.h"
#include "plugin/image_registry.h"

namespace e2qcow::plugin {
namespace {

// The state of one of our channels.
struct Channel {
  std::shared_ptr<OpenImage> image;
  bool is_writable = false;
  std::uint64_t offset = 0;  // of the file system in the disk
  struct_io_stats stats{2, 0, 0, 0};
  std::atomic<std::uint64_t> uncounted{0};  // bytes written that are not in the stats yet
};

Channel& behind(io_channel channel) {
  return *static_cast<Channel*>(channel->private_data);
}

void count(unsigned long long& counter, std::uint64_t bytes) {
  std::atomic_ref(counter).fetch_add(bytes, std::memory_order_relaxed);
}

void count_written(Channel& state) {
  count(state.stats.bytes_written, state.uncounted.exchange(0));
}

// As in unix_io, which keeps a few blocks until they are flushed, or until a different size is read or
// written: libext2fs changes the superblock once more on closing if the statistics have changed.
constexpr std::uint64_t kKeptBlocks = 8;

bool is_kept(int blocks) {
  return blocks > 0 && blocks <= 4;
}

void count_later(Channel& state, io_channel channel, int blocks, std::uint64_t bytes) {
  state.uncounted += bytes;
  const std::uint64_t kept = kKeptBlocks * static_cast<std::uint64_t>(channel->block_size);
  if (!is_kept(blocks) || state.uncounted > kept) count_written(state);
}

std::uint64_t bytes_of(io_channel channel, int count) {
  const auto number = static_cast<std::int64_t>(count);
  return static_cast<std::uint64_t>(number < 0 ? -number : number * channel->block_size);
}

// No disk ends past the largest number.
std::uint64_t blocks_to_bytes(io_channel channel, unsigned long long blocks) {
  const auto block_size = static_cast<std::uint64_t>(channel->block_size);
  return std::min<std::uint64_t>(blocks, ~0ULL / block_size) * block_size;
}

// The part of `length` bytes of the file system at `position` that lies inside the disk; empty if it begins
// past the end.
Extent inside(const Channel& state, std::uint64_t position, std::uint64_t length) {
  const std::uint64_t size = state.image->size();
  if (position > size || state.offset >= size - position) return {size, 0};
  const std::uint64_t begin = position + state.offset;
  return {begin, std::min(length, size - begin)};
}

errcode_t close_channel(io_channel channel) {
  if (--channel->refcount > 0) return 0;
  const std::unique_ptr<Channel> state(static_cast<Channel*>(channel->private_data));
  const errcode_t result = guarded([&] {
    if (state->is_writable) state->image->flush();
  });
  ext2fs_free_mem(&channel->name);
  ext2fs_free_mem(&channel);
  return result;
}

errcode_t make_channel(const char* name, int flags, std::unique_ptr<Channel>& state, io_channel* out) {
  io_channel channel = nullptr;
  errcode_t error = ext2fs_get_memzero(sizeof *channel, &channel);
  if (error != 0) return error;
  error = ext2fs_get_mem(std::strlen(name) + 1, &channel->name);
  if (error != 0) {
    ext2fs_free_mem(&channel);
    return error;
  }
  std::strcpy(channel->name, name);
  channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  channel->manager = e2qcow_io_manager;
  channel->block_size = 1024;
  channel->refcount = 1;
  channel->flags =
      CHANNEL_FLAGS_DISCARD_ZEROES | ((flags & IO_FLAG_THREADS) != 0 ? CHANNEL_FLAGS_THREADS : 0);
  channel->private_data = state.release();
  *out = channel;
  return 0;
}

errcode_t open_channel(const char* name, int flags, io_channel* out) noexcept {
  if (name == nullptr) return EXT2_ET_BAD_DEVICE_NAME;
  std::unique_ptr<Channel> state;
  const errcode_t error = guarded([&] {
    state = std::make_unique<Channel>();
    state->is_writable = (flags & IO_FLAG_RW) != 0;
    state->image = open_image(name, state->is_writable ? Access::write : Access::read);
  });
  return error != 0 ? error : make_channel(name, flags, state, out);
}

errcode_t set_block_size(io_channel channel, int block_size) noexcept {
  if (block_size <= 0) return EXT2_ET_INVALID_ARGUMENT;
  if (block_size != channel->block_size) count_written(behind(channel));
  channel->block_size = block_size;
  return 0;
}

// As in unix_io: the available bytes, zeros, and an error.
errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void* data) noexcept {
  Channel& state = behind(channel);
  const std::uint64_t length = bytes_of(channel, count);
  const Extent range = inside(state, blocks_to_bytes(channel, block), length);
  auto* out = static_cast<std::byte*>(data);
  if (!is_kept(count)) count_written(state);
  errcode_t error = guarded([&] { state.image->read(range.offset, {out, range.length}); });
  const std::uint64_t there = error == 0 ? range.length : 0;
  plugin::count(state.stats.bytes_read, there);
  if (there == length) return 0;
  if (error == 0) error = EXT2_ET_SHORT_READ;
  std::memset(out + there, 0, length - there);
  if (channel->read_error == nullptr) return error;
  return channel->read_error(channel, static_cast<unsigned long>(block), count, data, length,
                             static_cast<int>(there), error);
}

errcode_t write_bytes(Channel& state, Extent range, std::uint64_t length, const void* data) {
  if (!state.is_writable) return EBADF;
  if (range.length != length) return EXT2_ET_SHORT_WRITE;
  const auto* bytes = static_cast<const std::byte*>(data);
  return guarded([&] { state.image->write(range.offset, {bytes, length}); });
}

errcode_t write_blocks(io_channel channel, unsigned long long block, int count, const void* data) noexcept {
  Channel& state = behind(channel);
  const std::uint64_t length = bytes_of(channel, count);
  const Extent range = inside(state, blocks_to_bytes(channel, block), length);
  const errcode_t error = write_bytes(state, range, length, data);
  if (error == 0) count_later(state, channel, count, length);
  if (error == 0 || channel->write_error == nullptr) return error;
  return channel->write_error(channel, static_cast<unsigned long>(block), count, data, length, 0, error);
}

errcode_t read_blocks32(io_channel channel, unsigned long block, int count, void* data) noexcept {
  return read_blocks(channel, block, count, data);
}

errcode_t write_blocks32(io_channel channel, unsigned long block, int count, const void* data) noexcept {
  return write_blocks(channel, block, count, data);
}

errcode_t write_byte(io_channel channel, unsigned long offset, int count, const void* data) noexcept {
  if (count < 0) return EXT2_ET_INVALID_ARGUMENT;
  Channel& state = behind(channel);
  const auto length = static_cast<std::uint64_t>(count);
  count_written(state);
  return write_bytes(state, inside(state, offset, length), length, data);
}

errcode_t flush(io_channel channel) noexcept {
  Channel& state = behind(channel);
  count_written(state);
  return guarded([&] {
    if (state.is_writable) state.image->flush();
  });
}

errcode_t set_offset(Channel& state, const char* text) {
  if (text == nullptr || *text < '0' || *text > '9') return EXT2_ET_INVALID_ARGUMENT;
  char* end = nullptr;
  errno = 0;
  const std::uint64_t offset = std::strtoull(text, &end, 0);
  if (errno != 0 || *end != '\0' || offset > static_cast<std::uint64_t>(INT64_MAX))
    return EXT2_ET_INVALID_ARGUMENT;
  state.offset = offset;
  return 0;
}

// "cache" switches off the small cache of unix_io, which we do not have.
errcode_t set_option(io_channel channel, const char* option, const char* argument) noexcept {
  const std::string_view name(option);
  if (name == "offset") return set_offset(behind(channel), argument);
  const std::string_view value(argument == nullptr ? "" : argument);
  return name == "cache" && (value == "on" || value == "off") ? 0 : EXT2_ET_INVALID_ARGUMENT;
}

errcode_t get_stats(io_channel channel, io_stats* stats) noexcept {
  if (stats != nullptr) *stats = &behind(channel).stats;
  return 0;
}

errcode_t zero_blocks(io_channel channel, unsigned long long block, unsigned long long count) noexcept {
  Channel& state = behind(channel);
  if (!state.is_writable) return EBADF;
  const std::uint64_t length = blocks_to_bytes(channel, count);
  const Extent range = inside(state, blocks_to_bytes(channel, block), length);
  if (range.length != length) return EXT2_ET_SHORT_WRITE;
  return guarded([&] { state.image->zero(range); });
}

errcode_t read_ahead(io_channel channel, unsigned long long block, unsigned long long count) noexcept {
  Channel& state = behind(channel);
  const std::uint64_t length = blocks_to_bytes(channel, count);
  return guarded([&] { state.image->prefetch(inside(state, blocks_to_bytes(channel, block), length)); });
}

constexpr struct_io_manager make_manager() {
  struct_io_manager manager{};
  manager.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager.name = "qcow2 I/O manager";
  manager.open = open_channel;
  manager.close = close_channel;
  manager.set_blksize = set_block_size;
  manager.read_blk = read_blocks32;
  manager.write_blk = write_blocks32;
  manager.flush = flush;
  manager.write_byte = write_byte;
  manager.set_option = set_option;
  manager.get_stats = get_stats;
  manager.read_blk64 = read_blocks;
  manager.write_blk64 = write_blocks;
  manager.discard = zero_blocks;
  manager.cache_readahead = read_ahead;
  manager.zeroout = zero_blocks;
  return manager;
}

constinit struct_io_manager manager = make_manager();

}  // namespace
}  // namespace e2qcow::plugin

io_manager e2qcow_io_manager = &e2qcow::plugin::manager;
