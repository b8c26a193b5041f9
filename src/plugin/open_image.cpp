// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/open_image.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file/output_file.h"
#include "base/file/shared_file.h"
#include "base/file/temporary_file.h"
#include "base/storage.h"
#include "plugin/overlay_name.h"
#include "qcow2/format/read_header.h"
#include "qcow2/read/digest_state.h"
#include "qcow2/read/identity.h"
#include "work/refusals.h"

namespace e2qcow::plugin {
namespace {

namespace fs = std::filesystem;

std::string name_without_links(const std::string& path) {
  std::error_code error;
  const std::string name = fs::canonical(path, error);
  if (error) fail_errno(error.value(), path + ": open");
  return name;
}

std::unique_ptr<PosixFile> open_unambiguous(const std::string& path) {
  auto file = open_for_reading(path);
  qcow2::refuse_other_contents(*file);
  work::refuse_ambiguous(*file);
  return file;
}

qcow2::OpenChain open_chain(const std::string& path, const Settings& settings) {
  qcow2::ChainFiles files(open_unambiguous(path), settings.backing);
  qcow2::DataFiles data_files(settings.data_files);
  qcow2::OpenChain chain = std::move(files).read(data_files, [&](qcow2::Reader& image) {
    for (const std::string& warning : qcow2::warnings_of(image)) settings.say(warning);
    if (!settings.verify) return;
    if (const std::string why_not = qcow2::check_contents(image); !why_not.empty()) settings.say(why_not);
  });
  data_files.refuse_surplus();
  if (!settings.verify) return chain;
  const std::string doubt = qcow2::refuse_other_bases(chain.readers(), chain.raw_base());
  if (!doubt.empty()) settings.say(doubt);
  return chain;
}

// The files of a run are used by the first image that is changed. They have no header before that, and none
// if a program was killed while creating it.
bool is_unused(const PosixFile& temporary) {
  return !qcow2::has_magic(temporary);
}

std::optional<qcow2::Extension> record_in(const std::vector<qcow2::Extension>& extensions) {
  const auto record = std::ranges::find(extensions, qcow2::kDumpRecord, &qcow2::Extension::type);
  return record == extensions.end() ? std::nullopt : std::optional(*record);
}

std::string what_it_changes(const PosixFile& overlay) {
  const auto name = qcow2::read_backing_file_name(overlay, qcow2::read_header(overlay));
  return name ? "an overlay of " + *name : "an image without a backing file";
}

void create_named(const std::string& path, const qcow2::OverlayBase& base) {
  OutputFile output(path);
  qcow2::create_overlay(output.file(), base);
  output.commit(Durability::if_it_replaces);
}

}  // namespace

OpenImage::OpenImage(const std::string& path, const Settings& settings)
    : settings_(settings),
      path_(name_without_links(path)),
      chain_(open_chain(path, settings)),
      disk_(std::make_unique<qcow2::CachedDisk>(chain_.disk(), settings_.cache_bytes)),
      named_overlay_(find_named_overlay()) {
  if (named_overlay_.empty())
    read_temporary_overlay();
  else
    read_named_overlay();
}

bool OpenImage::is_stored_at(const std::string& path) const {
  const auto ours = chain_.reader().file().descriptor();
  return ours && overlap(stored_ranges(ours->fd), stored_ranges(path));
}

// An image's own comes before the one that is for any image.
std::string OpenImage::find_named_overlay() const {
  std::string found;
  for (const auto& [image, file] : settings_.overlays) {
    if (image.empty()) found = file;
    if (!image.empty() && is_stored_at(image)) return file;
  }
  return found;
}

void OpenImage::read_named_overlay() {
  if (!fs::exists(named_overlay_)) {
    missed_ = "does not exist";
    return;
  }
  auto file = open_for_reading(named_overlay_);
  if (file->size() == 0)
    missed_ = "is empty";
  else if (!is_based_on_us(*file))
    missed_ = "is " + what_it_changes(*file);
  else
    read_overlay(std::move(file));
}

void OpenImage::read_temporary_overlay() {
  const UniqueFd turn = lock_shared_file(settings_.run);  // other programs may be creating theirs
  for (const std::string& path : settings_.temporaries) {
    if (!is_shared_file(path)) continue;
    auto file = open_for_reading(path, temporary_name(), {});
    if (!is_unused(*file) && is_based_on_us(*file)) return read_overlay(std::move(file));
  }
}

void OpenImage::read_overlay(std::unique_ptr<PosixFile> file) {
  to_read_.file = std::move(file);
  to_read_.overlay = std::make_unique<qcow2::Overlay>(*to_read_.file, *disk_, Durability::none);
  overlay_ = to_read_.overlay.get();
}

std::string OpenImage::missed_overlay() const {
  if (missed_.empty() || overlay_ != nullptr) return "";
  return fmt::format("{}: {}; {} is shown without changes", named_overlay_, missed_, path_);
}

// Reads the header alone: another program may be writing to an overlay that is not for us.
bool OpenImage::is_based_on_us(const PosixFile& overlay) const {
  const qcow2::Header header = qcow2::read_header(overlay);
  const auto name = qcow2::read_backing_file_name(overlay, header);
  if (!name || !is_backing_name(*name, path_, overlay.name())) return false;
  const auto theirs = record_in(qcow2::read_extensions(overlay, header).extensions);
  const auto ours = record_in(chain_.reader().extensions());
  if (theirs && ours && theirs->data != ours->data)
    fail(Errc::refused,
         fmt::format("{}: was made on top of another dump than the current {}", overlay.name(), path_));
  return true;
}

qcow2::OverlayBase OpenImage::base(const std::string& name) const {
  return {name, size(), record_in(chain_.reader().extensions())};
}

void OpenImage::make_writable() {
  const std::scoped_lock lock(mutex_);
  if (to_change_.overlay) return;
  if (!named_overlay_.empty()) return open_named_overlay();
  if (!open_temporary_overlay()) open_own_overlay();
}

// An overlay of another image is left alone, and no other file replaces one that the user has named.
void OpenImage::open_named_overlay() {
  const qcow2::OverlayBase new_base = base(backing_name(path_, named_overlay_));
  if (!fs::exists(named_overlay_)) create_named(named_overlay_, new_base);
  auto file = open_for_update(named_overlay_);
  if (file->size() == 0) qcow2::create_overlay(*file, new_base);
  if (!is_based_on_us(*file))
    fail(Errc::other_overlay,
         fmt::format("{}: is not an overlay of {}, but {}", named_overlay_, path_, what_it_changes(*file)));
  use(std::move(file), Durability::synced);
}

// The file of the run that has the changes to this image, or else the first one without any. The programs of
// the run look for one in turn. False if there is none.
bool OpenImage::open_temporary_overlay() {
  const UniqueFd turn = lock_shared_file(settings_.run);
  for (const std::string& path : settings_.temporaries) {
    if (!is_shared_file(path)) continue;
    const auto candidate = open_for_reading(path, temporary_name(), {});
    if (!is_unused(*candidate) && !is_based_on_us(*candidate)) continue;
    auto file = open_for_update(path, temporary_name());
    if (is_unused(*file)) qcow2::create_overlay(*file, base(path_));
    use(std::move(file), Durability::none);
    return true;
  }
  return false;
}

void OpenImage::open_own_overlay() {
  auto file = open_temporary_file();
  qcow2::create_overlay(*file, base(path_));
  use(std::move(file), Durability::none);
  has_own_changes_ = true;
}

void OpenImage::use(std::unique_ptr<PosixFile> file, Durability durability) {
  to_change_.file = std::move(file);
  to_change_.overlay = std::make_unique<qcow2::Overlay>(*to_change_.file, *disk_, durability);
  overlay_ = to_change_.overlay.get();
}

void OpenImage::read(std::uint64_t guest_offset, std::span<std::byte> out) {
  if (qcow2::Overlay* overlay = overlay_)
    overlay->read(guest_offset, out);
  else
    disk_->read(guest_offset, out);
}

qcow2::Overlay& OpenImage::to_write() {
  if (is_child_) fail(Errc::in_use, path_ + ": is being changed by the parent process");
  if (!to_change_.overlay) fail(Errc::refused, path_ + ": was not opened for writing");
  return *to_change_.overlay;
}

void OpenImage::write(std::uint64_t guest_offset, std::span<const std::byte> data) {
  to_write().write(guest_offset, data);
}

void OpenImage::zero(Extent guest) {
  to_write().zero(guest);
}

void OpenImage::flush() {
  if (to_change_.overlay && !is_child_) to_change_.overlay->flush();
}

}  // namespace e2qcow::plugin
