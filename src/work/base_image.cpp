// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/base_image.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/extents.h"
#include "base/storage.h"
#include "nbd/nbd_name.h"
#include "qcow2/format/digest_seal.h"
#include "qcow2/read/identity.h"
#include "work/refusals.h"

namespace e2qcow::work {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 16;  // of a chain, with the new image

// No digest is an error here: what is not as it was written is stored anew.
ImageOptions without_check(ImageOptions options) {
  options.verify = false;
  return options;
}

std::vector<std::string> files_of(const BaseOptions& options) {
  std::vector<std::string> files{options.image.path};
  for (const std::string& text : options.image.backing) files.push_back(qcow2::parse_named_file(text).path);
  return files;
}

Image open(const BaseOptions& options, const std::string& image, unsigned threads) {
  for (const std::string& file : files_of(options)) refuse_output_on_input(image, stored_input(file));
  Image base = ImageFiles(without_check(options.image)).read(threads);
  const std::string doubt = qcow2::refuse_other_bases(base.readers(), base.raw_base());
  if (!doubt.empty()) fail(Errc::other_base, doubt);
  return base;
}

std::string name_for(const BaseOptions& options, const std::string& image) {
  if (options.image.path == "-") fail(Errc::refused, "standard input cannot be the base of an image");
  if (nbd::is_nbd_name(options.image.path))
    fail(Errc::refused, options.image.path + ": is a disk on a server, and cannot be the base of an image");
  if (!options.name.empty()) return options.name;
  if (image == "-")
    fail(Errc::refused, options.image.path + ": how an image on standard output names it is not known");
  return name_from(image, options.image.path);
}

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  fail(Errc::refused, fmt::format("{}: cannot be the base: {}", name, why));
}

DumpRecord record_of(const Image& image) {
  const qcow2::Reader& reader = image.reader();
  const std::string& name = reader.file().name();
  if (reader.header().version < 3)
    refuse(name, "images of version 2 have no zeros that hide what is below them");
  if (image.contradicts_itself()) refuse(name, "it has faults");
  if (image.readers().size() + (image.raw_base() == nullptr ? 0 : 1) >= kMostFiles)
    refuse(name, fmt::format("the chain would have more than {} files", kMostFiles));
  const auto record = reader.record();
  if (!record) refuse(name, "it has no record of a dump");
  return *record;
}

// Without symbolic links. The file need not exist, its folder must.
fs::path place_of(const std::string& file) {
  std::error_code error;
  const fs::path entry = fs::absolute(without_links(file));
  const fs::path folder = fs::canonical(entry.parent_path(), error);
  if (error) fail_errno(error.value(), file + ": open");
  return folder / entry.filename();
}

bool has_protocol(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon != std::string_view::npos && name.substr(0, colon).find('/') == std::string_view::npos;
}

}  // namespace

std::string name_from(const std::string& image, const std::string& base) {
  std::string name = place_of(base).lexically_relative(place_of(image).parent_path());
  return has_protocol(name) ? "./" + name : name;  // QEMU takes what is before a colon for a protocol
}

BaseImage::BaseImage(const BaseOptions& options, const std::string& image, unsigned threads)
    : options_(options),
      name_(name_for(options, image)),
      image_(open(options, image, threads)),
      record_(record_of(image_)),
      known_(image_.disk(), image_.readers(), !options.compare_data) {
  say_what_is_doubtful();
}

void BaseImage::say_what_is_doubtful() const {
  for (const std::string& name : known_.doubtful())
    options_.image.notice(
        name +
        ": is not as it was written: it is damaged, or was committed into by qemu-img; all of "
        "it is compared");
  if (!qcow2::decode_digest_place(image_.reader().extensions()))
    options_.image.notice(image_.reader().file().name() +
                          ": holds no digests: another dump in its place may not be noticed");
}

void BaseImage::refuse_output(const std::string& output) const {
  if (output.empty()) return;
  for (const std::string& file : files_of(options_)) refuse_output_on_input(output, stored_input(file));
}

void BaseImage::refuse_unsuitable(const DumpRecord& record, std::uint64_t disk_size) const {
  const std::string& name = image_.reader().file().name();
  if (record.kind != record_.kind)
    refuse(name, fmt::format("it is a dump of another kind: {}", kind_name(record_.kind)));
  if (record.filesystem_uuid != record_.filesystem_uuid)
    refuse(name, "it is of a file system with another UUID");
  if (record.anonymized_with != record_.anonymized_with ||
      record.is_strictly_anonymized != record_.is_strictly_anonymized)
    refuse(name, "both must be anonymised in the same way, with the same key, or not at all");
  if (disk_size != image_.reader().size() && !options_.accept_resized)
    fail(Errc::resized, fmt::format("{}: its disk has {} bytes, and the device has {}", name,
                                    image_.reader().size(), disk_size));
}

std::vector<Extent> BaseImage::extents(std::uint64_t disk_size) const {
  std::vector<Extent> extents;
  const Extent inside{0, disk_size};
  for (auto extent = disk().next_extent(0); extent && overlaps(*extent, inside);
       extent = disk().next_extent(extent->end()))
    add_joined(extents, common_part(*extent, inside));
  return extents;
}

qcow2::Extension BaseImage::identity() const {
  return qcow2::encode_base(qcow2::identity_of(image_.reader()));
}

}  // namespace e2qcow::work
