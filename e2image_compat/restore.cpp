// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/restore.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <limits>

#include "base/file/output_file.h"
#include "base/process/cores.h"
#include "e2image_compat/block_sink.h"
#include "e2image_compat/target.h"
#include "image/raw_sink.h"
#include "work/refusals.h"

namespace e2qcow::compat {
namespace {

constexpr std::uint32_t kStreamUnit = 64 * 1024;

TransferOptions with_threads() {
  return {usable_cores(), nullptr};
}

void restore_to_new_file(const Options& options, const work::Image& image) {
  const bool replaces = target_kind(options.target) == TargetKind::file;
  const auto output = open_output(options.target);
  if (options.target_offset == 0)
    restore_to_empty_file(image, output->file(), replaces ? Durability::synced : Durability::none);
  else
    restore_in_place(image, output->file(), options.target_offset);
  output->commit(Durability::if_it_replaces);
}

void list(const work::Image& image) {
  ListSink sink(static_cast<std::uint32_t>(image.disk().read_unit()), true);
  transfer(image.disk(), sink, with_threads());
}

void restore_to_named_stream(const Options& options, const work::Image& image) {
  const UniqueFd named = options.to_stdout() ? UniqueFd() : open_stream_for_writing(options.target);
  OutputStream out = options.to_stdout() ? standard_output() : OutputStream(named.get(), options.target);
  restore_to_stream(image, out);
}

void restore_to_existing(const Options& options, const work::Image& image, TargetKind kind) {
  const auto target = open_in_place(options.target, kind);
  restore_in_place(image, *target, options.target_offset);
  target->close();
}

}  // namespace

work::Image read_image(std::unique_ptr<ReadableFile> file) {
  work::refuse_ambiguous(*file);
  work::ImageFiles files(std::move(file), {.max_size = std::numeric_limits<std::uint64_t>::max()});
  return std::move(files).read(with_threads().threads);
}

void restore_to_empty_file(const work::Image& image, PosixFile& target, Durability durability) {
  target.expect_writes(image.data_bytes());
  RawSink sink(target, {.size = image.disk().size(), .durability = durability});
  transfer(image.disk(), sink, with_threads());
}

void restore_in_place(const work::Image& image, PosixFile& target, std::uint64_t offset) {
  const std::uint64_t size = image.disk().size();
  const std::uint64_t there = target.size();
  refuse_small_device(target, offset, size);
  if (there < offset || there - offset < size) target.resize(offset + size);
  RawSink sink(target, {.size = size, .offset = offset, .overwrites = true});
  transfer(image.disk(), sink, with_threads());
  target.sync();
}

void restore_to_stream(const work::Image& image, OutputStream& target) {
  DiskStreamSink sink(target, kStreamUnit, image.disk().size());
  transfer(image.disk(), sink, with_threads());
}

int restore(const Options& options) {
  auto file = open_for_reading(options.source);
  work::refuse_overwriting({options.target, stored_ranges(options.target)},
                           {options.source, stored_ranges(file->fd())});
  const work::Image image = read_image(std::move(file));
  refuse_impossible_offset(options.target_offset, image.disk().size());
  const TargetKind kind = target_kind(options.target);
  const bool is_there = kind == TargetKind::file || kind == TargetKind::block_device;
  if (is_there) work::refuse_mounted_target(options.target);
  const bool in_place = kind == TargetKind::block_device || options.target_offset != 0;
  if (options.list_only)
    list(image);
  else if (is_stream(kind))
    restore_to_named_stream(options, image);
  else if (is_there && in_place)
    restore_to_existing(options, image, kind);
  else
    restore_to_new_file(options, image);
  return 0;
}

}  // namespace e2qcow::compat
