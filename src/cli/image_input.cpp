#include "cli/image_input.h"

#include <e2qcow/error.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/posix_file.h"
#include "cli/text.h"
#include "qcow2/allocator.h"

namespace e2qcow::cli {
namespace {

// What several threads have in the works, at most, and how far our images jump back.
std::uint64_t window_for(unsigned threads, const qcow2::Reader& reader) {
  const std::uint64_t batch = std::max<std::uint64_t>(1 << 20, reader.read_unit()) * 2;
  return qcow2::Allocator::kReach + (2 * threads + 2) * batch;
}

// Whether the image's data comes in the order in which it is needed, apart from jumps that a window covers.
bool is_in_order(qcow2::Reader& reader, std::uint64_t kept_front, std::uint64_t reach) {
  std::uint64_t furthest = 0;
  std::uint64_t position = 0;
  while (position < reader.size()) {
    const qcow2::Mapping mapping = reader.map(position);
    position = mapping.guest.end();
    if (mapping.host_offset == 0 || mapping.host_offset < kept_front) continue;
    if (mapping.host_offset + reach < furthest) return false;
    const bool compressed = mapping.kind == qcow2::Mapping::Kind::compressed;
    furthest =
        std::max(furthest, mapping.host_offset + (compressed ? mapping.stored_length : mapping.guest.length));
  }
  return true;
}

}  // namespace

ImageInput::ImageInput(const std::string& path, unsigned threads) {
  if (path == "-") {
    auto pipe = std::make_unique<PipeFile>(STDIN_FILENO, "standard input");
    pipe_ = pipe.get();
    file_ = std::move(pipe);
  } else {
    file_ = open_for_reading(path);
  }
  reader_ = std::make_unique<qcow2::Reader>(*file_);
  if (reader_->backing_file_name())
    fail(Errc::unsupported, fmt::format("{}: it needs a backing file ('{}'), which is not supported", path,
                                        printable(*reader_->backing_file_name())));
  data_bytes_ = reader_->check_tables();
  // Where the order does not fit, the pipe keeps all (in a temporary file when it is much).
  if (pipe_ != nullptr && is_in_order(*reader_, pipe_->position(), qcow2::Allocator::kReach))
    pipe_->forget(window_for(threads, *reader_));
}

void ImageInput::finish() {
  if (pipe_ != nullptr) pipe_->drain();
}

}  // namespace e2qcow::cli
