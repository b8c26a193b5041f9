// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/digest_state.h"

#include <e2qcow/error.h>

#include <utility>

#include "qcow2/format/table_digests.h"

namespace e2qcow::qcow2 {
namespace {

bool is_marked(const Reader& image) {
  return (image.header().autoclear_features & kUnchangedDump) != 0;
}

// Of an image whose digests can still be those of its contents.
std::optional<DigestPlace> place_to_expect(const Reader& image) {
  if (!is_marked(image) || image.header().has_data_file()) return std::nullopt;
  return decode_digest_place(image.extensions());
}

std::string gone(const Reader& image) {
  return image.file().name() + ": its digests were overwritten or cut off; its data is not checked";
}

std::string changed(const Reader& image) {
  return image.file().name() +
         ": its tables are not as they were written: it is damaged, or was committed into by qemu-img; its "
         "data is not checked";
}

}  // namespace

DigestState read_digest_state(const Reader& image) {
  DigestState state{.place = decode_digest_place(image.extensions()), .is_marked = is_marked(image)};
  if (!state.place || image.header().has_data_file()) return state;
  const ReadableFile& file = image.file();
  const Header& header = image.header();
  state.seal = read_seal(file, *state.place, header);
  if (!state.seal) return state;
  const DigestKind kind = state.seal->kind;
  state.header_is_as_written = digest_of_header(kind, header, image.extensions()) == state.seal->header;
  state.mapping_is_as_written = digest_of_mapping(kind, file, header) == state.seal->mapping;
  state.refcounts_are_as_written = digest_of_refcounts(kind, file, header) == state.seal->refcounts;
  state.table = DigestTable::open(file, *state.place, *state.seal);
  return state;
}

// Refcounts are not asked: the disk does not depend on them.
std::string check_contents(Reader& image) {
  const auto place = place_to_expect(image);
  if (!place) return "";
  const ReadableFile& file = image.file();
  const auto seal = read_seal(file, *place, image.header());
  if (!seal) return gone(image);
  if (digest_of_header(seal->kind, image.header(), image.extensions()) != seal->header ||
      digest_of_mapping(seal->kind, file, image.header()) != seal->mapping)
    return changed(image);
  auto table = DigestTable::open(file, *place, *seal);
  if (!table) return gone(image);
  image.check_contents(std::make_unique<TableCheck>(std::move(table), file.name()));
  return "";
}

StreamCheck::StreamCheck(Reader& image) : image_(image), place_(place_to_expect(image)) {
  if (!place_) return;
  header_ = digest_of_header(place_->kind, image.header(), image.extensions());
  mapping_ = digest_of_mapping(place_->kind, image.file(), image.header());
}

void StreamCheck::begin() {
  if (!place_) return;
  auto check = std::make_unique<SetCheck>(place_->kind);
  check_ = check.get();
  image_.check_contents(std::move(check));
}

std::string StreamCheck::finish() const {
  if (check_ == nullptr) return "";
  const auto seal = read_seal(image_.file(), *place_, image_.header());
  if (!seal) return gone(image_);
  if (header_ != seal->header || mapping_ != seal->mapping) return changed(image_);
  const SetDigest read = check_->read();
  if (read.count() != seal->clusters || read.digest() != seal->contents)
    fail(Errc::wrong_digest, image_.file().name() + ": its data is not what was written");
  return "";
}

}  // namespace e2qcow::qcow2
