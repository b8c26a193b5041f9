// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/codec/zlib_codec.h"

#include <libdeflate.h>
#include <zlib.h>

#include <array>
#include <new>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

constexpr int kRawWriteWindow = -12;  // qcow2 spec, "Compressed clusters": a window of 4 KiB
constexpr int kRawReadWindow = -15;
constexpr int kMemoryLevel = 8;  // more is slower by a seventh, because its tables exceed the near caches

void set_buffers(z_stream& stream, std::span<const std::byte> in, std::span<std::byte> out) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
}

// Whether all byte values are about equally frequent, as in random and in compressed bytes.
bool looks_random(std::span<const std::byte> bytes) {
  std::array<std::uint64_t, 256> counts{};
  for (const std::byte byte : bytes) ++counts[static_cast<std::size_t>(byte)];
  std::uint64_t squares = 0;
  for (const std::uint64_t count : counts) squares += count * count;
  // Of n random bytes the sum of the squares is n * n / 256 + n; a sixteenth more is still close to that.
  const std::uint64_t expected = bytes.size() * bytes.size() / counts.size() + bytes.size();
  return squares <= expected + expected / 16;
}

// Whether more than a few sequences of four bytes repeat.
bool has_repeats(std::span<const std::byte> bytes) {
  constexpr std::uint32_t kMultiplier = 2654435761U;  // Knuth's, for hashing
  std::array<std::uint32_t, 4096> offsets_seen{};
  std::size_t repeats = 0;
  for (std::uint32_t i = 0; i + sizeof(std::uint32_t) <= bytes.size(); ++i) {
    const auto word = load<std::uint32_t>(bytes, i);
    const auto hash = static_cast<std::uint32_t>(std::uint64_t{word} * kMultiplier);
    std::uint32_t& last_offset = offsets_seen[hash >> 20];
    if (last_offset < i && load<std::uint32_t>(bytes, last_offset) == word) ++repeats;
    last_offset = i;
  }
  return repeats > bytes.size() / 128;
}

// zlib takes nearly as long for incompressible data as for other data. Data that looks random is not tried.
class ZlibEncoder : public Encoder {
 public:
  explicit ZlibEncoder(int level) {
    if (::deflateInit2(&stream_, level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED, kRawWriteWindow,
                       kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~ZlibEncoder() override { ::deflateEnd(&stream_); }
  ZlibEncoder(const ZlibEncoder&) = delete;
  ZlibEncoder& operator=(const ZlibEncoder&) = delete;

  std::size_t encode(std::span<const std::byte> cluster, std::span<std::byte> out) override {
    if (looks_random(cluster) && !has_repeats(cluster)) return 0;
    ::deflateReset(&stream_);
    set_buffers(stream_, cluster, out);
    return ::deflate(&stream_, Z_FINISH) == Z_STREAM_END ? out.size() - stream_.avail_out : 0;
  }

 private:
  z_stream stream_{};
};

// libdeflate is two to three times as fast, but wants a stream that ends with the cluster. What it refuses,
// zlib looks at again: a stream may continue past the cluster, and QEMU reads such ones.
class ZlibDecoder : public Decoder {
 public:
  ZlibDecoder() : fast_(::libdeflate_alloc_decompressor()) {
    if (!fast_ || ::inflateInit2(&stream_, kRawReadWindow) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibDecoder() override { ::inflateEnd(&stream_); }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;

  bool decode(std::span<const std::byte> stored, std::span<std::byte> cluster) override {
    if (::libdeflate_deflate_decompress(fast_.get(), stored.data(), stored.size(), cluster.data(),
                                        cluster.size(), nullptr) == LIBDEFLATE_SUCCESS)
      return true;
    ::inflateReset(&stream_);
    set_buffers(stream_, stored, cluster);
    const int result = ::inflate(&stream_, Z_FINISH);
    return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream_.avail_out == 0;
  }

 private:
  struct FreeDecompressor {
    void operator()(libdeflate_decompressor* decompressor) const {
      ::libdeflate_free_decompressor(decompressor);
    }
  };
  std::unique_ptr<libdeflate_decompressor, FreeDecompressor> fast_;
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Encoder> make_zlib_encoder(int level) {
  return std::make_unique<ZlibEncoder>(level);
}

std::unique_ptr<Decoder> make_zlib_decoder() {
  return std::make_unique<ZlibDecoder>();
}

}  // namespace e2qcow::qcow2
