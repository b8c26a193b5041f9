#pragma once

#include <memory>
#include <string>

#include "base/pipe_file.h"
#include "qcow2/reader.h"

namespace e2qcow::cli {

// A qcow2 image to read: a file or, as "-", standard input.
class ImageInput {
 public:
  // Checks header and tables. Images that need other files are refused.
  ImageInput(const std::string& path, unsigned threads);

  qcow2::Reader& reader() { return *reader_; }
  std::uint64_t data_bytes() const { return data_bytes_; }

  // To be called when all was read: lets the other end of a pipe finish.
  void finish();

 private:
  std::unique_ptr<File> file_;
  PipeFile* pipe_ = nullptr;  // file_, if it is one
  std::unique_ptr<qcow2::Reader> reader_;
  std::uint64_t data_bytes_ = 0;
};

}  // namespace e2qcow::cli
