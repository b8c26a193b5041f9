// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/table_writer.h"

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::size_t kTableBufferEntries = 128 * 1024;  // a mebibyte

}  // namespace

TableWriter::TableWriter(File& file, std::uint64_t host_offset, Background background)
    : file_(file), background_(background), offset_(host_offset) {}

void TableWriter::set(std::uint64_t host_offset, std::uint64_t value) {
  if (host_offset >= buffer_end()) {
    const std::uint64_t page = round_down(host_offset, kPageBytes);
    const bool skips_pages = page != buffer_end();
    if (skips_pages && background_ == Background::zeros) {
      flush();
      offset_ = page;
    }
    extend_to(page + kPageBytes);
  }
  buffer_[(host_offset - offset_) / sizeof(std::uint64_t)] = big_endian(value);
}

void TableWriter::extend_to(std::uint64_t end) {
  while (buffer_end() < end) {
    if (buffer_.size() >= kTableBufferEntries) flush();
    buffer_.resize(buffer_.size() + kPageBytes / sizeof(std::uint64_t));
  }
}

void TableWriter::flush() {
  if (buffer_.empty()) return;
  file_.write(offset_, std::as_bytes(std::span(buffer_)));
  offset_ = buffer_end();
  buffer_.clear();
}

void TableWriter::finish(std::uint64_t end) {
  if (background_ == Background::old_data) extend_to(end);
  flush();
}

}  // namespace e2qcow::qcow2
