// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/identity.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "qcow2/format/digest_seal.h"
#include "qcow2/format/table_digests.h"
#include "qcow2/read/digest_table.h"

namespace e2qcow::qcow2 {
namespace {

constexpr DigestKind kKind = DigestKind::sha256;

void add(Hasher& hasher, const std::optional<Digest>& digest) {
  hasher.add(digest.value_or(Digest{}).bytes);
}

}  // namespace

Identity identity_of(const Reader& image) {
  Hasher hasher(kKind);
  add(hasher, digest_of_header(kKind, image.header(), image.extensions()));
  add(hasher, digest_of_mapping(kKind, image.file(), image.header()));
  const auto place = decode_digest_place(image.extensions());
  const auto seal = place ? read_seal(image.file(), *place, image.header()) : std::nullopt;
  add(hasher, seal ? std::optional(seal->contents) : std::nullopt);
  const bool was_opened = (image.header().autoclear_features & kUnchangedDump) == 0;
  hasher.add(std::array{std::byte{was_opened}});
  const Digest digest = hasher.finish();
  Identity identity;
  std::memcpy(identity.data(), digest.bytes.data(), identity.size());
  return identity;
}

Extension encode_base(const Identity& identity) {
  const auto bytes = std::as_bytes(std::span(identity));
  return {kBase, {bytes.begin(), bytes.end()}};
}

std::optional<Identity> decode_base(std::span<const Extension> extensions) {
  const auto found = std::ranges::find(extensions, kBase, &Extension::type);
  if (found == extensions.end() || found->data.size() != Identity{}.size()) return std::nullopt;
  Identity identity;
  std::memcpy(identity.data(), found->data.data(), identity.size());
  return identity;
}

bool lies_on_another(const Reader& image, const Reader& below) {
  const auto wanted = decode_base(image.extensions());
  return wanted && identity_of(below) != *wanted;
}

std::string refuse_other_bases(std::span<const std::unique_ptr<Reader>> images,
                               const ReadableFile* raw_base) {
  for (std::size_t depth = 0; depth < images.size(); ++depth) {
    const Reader& image = *images[depth];
    const bool is_last = depth + 1 == images.size();
    if (is_last && (raw_base == nullptr || !image.has_extension(kBase))) continue;  // or flattened since
    if (!is_last && !lies_on_another(image, *images[depth + 1])) continue;
    const std::string text =
        fmt::format("{}: is not the image that {} was made on, or has changed since",
                    is_last ? raw_base->name() : images[depth + 1]->file().name(), image.file().name());
    if (image.was_opened_for_writing() == std::optional(false)) fail(Errc::other_base, text);
    return text + "; another program has opened " + image.file().name() + " for writing, too";
  }
  return "";
}

}  // namespace e2qcow::qcow2
