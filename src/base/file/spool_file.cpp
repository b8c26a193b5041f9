// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/spool_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/file/memory_disk.h"
#include "base/file/temporary_file.h"

namespace e2qcow {

SpoolFile::SpoolFile(std::string directory, std::uint64_t memory)
    : directory_(std::move(directory)),
      memory_(memory),
      file_(std::make_unique<PosixFile>(open_memory_file(), "temporary file in memory")) {}

std::uint64_t SpoolFile::size() const {
  const std::scoped_lock lock(mutex_);
  return file_->size();
}

bool SpoolFile::is_in_memory() const {
  const std::scoped_lock lock(mutex_);
  return in_memory_;
}

void SpoolFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::scoped_lock lock(mutex_);
  file_->read(offset, out);
}

void SpoolFile::write(std::uint64_t offset, std::span<const std::byte> data) {
  const std::scoped_lock lock(mutex_);
  written_ += data.size();
  if (in_memory_ && written_ > memory_) move_to_disk();
  file_->write(offset, data);
}

void SpoolFile::resize(std::uint64_t new_size) {
  const std::scoped_lock lock(mutex_);
  file_->resize(new_size);
}

std::optional<Extent> SpoolFile::next_data(std::uint64_t offset) const {
  const std::scoped_lock lock(mutex_);
  return file_->next_data(offset);
}

void SpoolFile::move_to_disk() {
  constexpr std::uint64_t kPiece = 1 << 20;
  auto disk = open_temporary_file(directory_);
  disk->resize(file_->size());
  std::vector<std::byte> buffer;
  for (auto data = file_->next_data(0); data; data = file_->next_data(data->offset + buffer.size())) {
    buffer.resize(std::min(data->length, kPiece));
    file_->read(data->offset, buffer);
    disk->write(data->offset, buffer);
  }
  file_ = std::move(disk);
  in_memory_ = false;
}

}  // namespace e2qcow
