// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/audited_device.h"

#include <e2qcow/error.h>

#include "base/file/posix_file.h"
#include "image/disk_file.h"
#include "qcow2/read/cached_disk.h"
#include "work/image.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kDeviceCacheBytes = 64 << 20;

// The disk of an image, together with the image.
class DiskOfImage : public ReadableFile {
 public:
  explicit DiskOfImage(ImageFiles files)
      : image_(std::move(files).read(1)),
        cached_(image_.disk(), kDeviceCacheBytes),
        disk_(cached_, image_.reader().file().name()) {}

  const std::string& name() const override { return disk_.name(); }
  std::uint64_t size() const override { return disk_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override { disk_.read(offset, out); }
  std::optional<Extent> next_data(std::uint64_t offset) const override { return disk_.next_data(offset); }
  void prefetch(Extent range) const override { disk_.prefetch(range); }

  bool is_anonymized() const {
    const auto record = image_.record();
    return record && record->anonymized_with.has_value();
  }

 private:
  Image image_;
  qcow2::CachedDisk cached_;
  DiskFile disk_;
};

std::unique_ptr<ReadableFile> disk_of(const std::string& path, const Notice& notice) {
  if (!is_image(path)) return nullptr;
  refuse_ambiguous(*open_for_reading(path));
  auto disk = std::make_unique<DiskOfImage>(ImageFiles({.path = path, .notice = notice}));
  if (disk->is_anonymized())
    fail(Errc::refused, path + ": is an anonymised dump, and has none of the names to look for");
  return disk;
}

}  // namespace

DeviceOptions or_disk_of_image(DeviceOptions options) {
  options.open_disk = [path = options.path, notice = options.notice] { return disk_of(path, notice); };
  return options;
}

}  // namespace e2qcow::work
