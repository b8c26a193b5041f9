// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/identity.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/unit/qcow2/read/digested_image.h"

namespace e2qcow::qcow2 {
namespace {

Identity identity_in(const Bytes& image) {
  const MemoryFile file(image);
  return identity_of(Reader(file));
}

TEST(Identity, IsTheSameUntilTheImageChangesOrIsOpenedForWriting) {
  DigestedImage image(kZstd);
  const Identity identity = identity_in(image.file.data());
  EXPECT_EQ(identity_in(DigestedImage(kZstd).file.data()), identity);
  EXPECT_NE(identity_in(DigestedImage().file.data()), identity);
  Bytes marked_as_changed = image.file.data();
  set_be(marked_as_changed, 88, 0, 8);  // the autoclear features
  EXPECT_NE(identity_in(marked_as_changed), identity);
  Bytes without_digests = image.file.data();
  without_digests.resize(without_digests.size() - 512);
  EXPECT_NE(identity_in(without_digests), identity);
}

TEST(Identity, IsInTheExtensionOfTheImageAbove) {
  const Identity identity = identity_in(DigestedImage().file.data());
  EXPECT_EQ(decode_base(std::vector{encode_base(identity)}), identity);
  EXPECT_EQ(decode_base(std::vector<Extension>{}), std::nullopt);
  EXPECT_EQ(decode_base(std::vector<Extension>{{kBase, Bytes(15)}}), std::nullopt);
  EXPECT_EQ(encode_base(identity).data.size(), 16U);
}

}  // namespace
}  // namespace e2qcow::qcow2
