// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/codec/zstd_codec.h"

#include <e2qcow/error.h>
#include <zstd.h>

#include <new>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdEncoder : public Encoder {
 public:
  explicit ZstdEncoder(int level) : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel,
                           level == 0 ? ZSTD_defaultCLevel() : level);
  }

  std::size_t encode(std::span<const std::byte> cluster, std::span<std::byte> out) override {
    const std::size_t size =
        ZSTD_compress2(context_.get(), out.data(), out.size(), cluster.data(), cluster.size());
    return ZSTD_isError(size) != 0 ? 0 : size;
  }

 private:
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
};

// The window of a frame that libzstd has accepted. libzstd's limit is usually 128 MiB. Source: RFC 8878,
// 3.1.1.1
bool claims_huge_window(std::span<const std::byte> frame) {
  constexpr std::byte kSingleSegment{0x20};  // the window is the contents
  constexpr unsigned kMaxWindowLog = 27;
  const bool has_window = load_le<std::uint32_t>(frame, 0) == ZSTD_MAGICNUMBER && frame.size() > 5 &&
                          (frame[4] & kSingleSegment) == std::byte{0};
  if (!has_window) return false;
  const auto descriptor = std::to_integer<unsigned>(frame[5]);
  const unsigned log = 10 + (descriptor >> 3);
  const unsigned eighths = descriptor & 7;  // that it is larger
  return log > kMaxWindowLog || (log == kMaxWindowLog && eighths > 0);
}

class ZstdDecoder : public Decoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
  }

  // A cluster may consist of several frames, skippable ones among them. Each is decoded directly into the
  // cluster, so the window that a frame claims costs no memory; readers that decode piece by piece refuse a
  // window that is too large, and so do we.
  bool decode(std::span<const std::byte> stored, std::span<std::byte> cluster) override {
    while (!cluster.empty()) {
      const std::size_t frame = ZSTD_findFrameCompressedSize(stored.data(), stored.size());
      if (ZSTD_isError(frame) != 0 || claims_huge_window(stored)) return false;
      const std::size_t size =
          ZSTD_decompressDCtx(context_.get(), cluster.data(), cluster.size(), stored.data(), frame);
      if (ZSTD_isError(size) != 0) return false;
      cluster = cluster.subspan(size);
      stored = stored.subspan(frame);
    }
    return true;
  }

 private:
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
};

}  // namespace

std::unique_ptr<Encoder> make_zstd_encoder(int level) {
  return std::make_unique<ZstdEncoder>(level);
}

std::unique_ptr<Decoder> make_zstd_decoder() {
  return std::make_unique<ZstdDecoder>();
}

}  // namespace e2qcow::qcow2
