// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/restore.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/bytes.h"
#include "base/file/output_file.h"
#include "e2image_compat/block_sink.h"
#include "e2image_compat/target.h"
#include "ext2/structures/superblock.h"
#include "image/raw_sink.h"

namespace e2qcow::compat {
namespace {

constexpr std::uint32_t kStreamUnit = 64 * 1024;

TransferOptions with_threads() {
  return {std::max(1U, std::thread::hardware_concurrency()), nullptr};
}

void restore_to_new_file(const Options& options, RestoreInput& input) {
  const bool replaces = target_kind(options.target) == TargetKind::file;
  const auto output = open_output(options.target);
  if (options.target_offset == 0)
    restore_to_empty_file(input, output->file(), replaces ? Durability::synced : Durability::as_files_are);
  else
    restore_in_place(input, output->file(), options.target_offset);
  output->commit(OutputFile::Durability::if_it_replaces);
}

void list(RestoreInput& input) {
  ListSink sink(static_cast<std::uint32_t>(input.disk().read_unit()), true);
  transfer(input.disk(), sink, with_threads());
}

void restore_to_named_stream(const Options& options, RestoreInput& input) {
  const UniqueFd named = options.to_stdout() ? UniqueFd() : open_stream_for_writing(options.target);
  OutputStream out = options.to_stdout() ? standard_output() : OutputStream(named.get(), options.target);
  restore_to_stream(input, out);
}

void restore_to_existing(const Options& options, RestoreInput& input, TargetKind kind) {
  const auto target = open_in_place(options.target, kind);
  restore_in_place(input, *target, options.target_offset);
  target->close();
}

}  // namespace

bool is_qcow2(const ReadableFile& file) {
  std::array<std::byte, 4> magic{};
  return file.read_up_to(0, magic) == magic.size() && load_be<std::uint32_t>(magic, 0) == qcow2::kMagic;
}

RestoreInput::RestoreInput(const ReadableFile& file) {
  if (ext2::read_superblock(file, ext2::kSuperblockOffset))
    fail(Errc::refused,
         file.name() + ": looks like a qcow2 image and like an ext2/3/4 file system; e2image does not guess");
  reader_ = std::make_unique<qcow2::Reader>(file);
  if (reader_->backing_file_name())
    fail(Errc::unsupported,
         fmt::format("{}: it needs a backing file; e2qcow restore --backing takes one", file.name()));
  data_bytes_ = reader_->check_tables();
  chain_ = std::make_unique<qcow2::Chain>(std::vector<const qcow2::Reader*>{reader_.get()}, nullptr);
}

void restore_to_empty_file(RestoreInput& input, PosixFile& target, Durability durability) {
  target.expect_writes(input.data_bytes());
  RawSink sink(target, {.size = input.disk().size(), .is_synced = durability == Durability::synced});
  transfer(input.disk(), sink, with_threads());
}

void restore_in_place(RestoreInput& input, PosixFile& target, std::uint64_t offset) {
  const std::uint64_t size = input.disk().size();
  const std::uint64_t there = target.size();
  refuse_small_device(target, offset, size);
  if (there < offset || there - offset < size) target.resize(offset + size);
  RawSink sink(target, {.size = size, .offset = offset, .overwrites = true});
  transfer(input.disk(), sink, with_threads());
  target.sync();
}

void restore_to_stream(RestoreInput& input, OutputStream& target) {
  DiskStreamSink sink(target, kStreamUnit, input.disk().size());
  transfer(input.disk(), sink, with_threads());
}

int restore(const Options& options) {
  const auto file = open_for_reading(options.source);
  refuse_overlap(options.target, kWhole, stored_ranges(file->fd()));
  RestoreInput input(*file);
  refuse_impossible_offset(options.target_offset, input.disk().size());
  const TargetKind kind = target_kind(options.target);
  const bool is_there = kind == TargetKind::file || kind == TargetKind::block_device;
  if (is_there) refuse_mounted_target(options.target);
  const bool in_place = kind == TargetKind::block_device || options.target_offset != 0;
  if (options.list_only)
    list(input);
  else if (is_stream(kind))
    restore_to_named_stream(options, input);
  else if (is_there && in_place)
    restore_to_existing(options, input, kind);
  else
    restore_to_new_file(options, input);
  return 0;
}

}  // namespace e2qcow::compat
