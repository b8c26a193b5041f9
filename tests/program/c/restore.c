/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restores a qcow2 image by the functions of <ext2fs/qcow2.h>: restore IMAGE TARGET [append]. Prints what
 * they return. */
#include <ext2fs/ext2fs.h>
#include <ext2fs/qcow2.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return 2;
  const int image = open(argv[1], O_RDONLY);
  const int target = open(argv[2], O_RDWR | O_CREAT | (argc == 4 ? O_APPEND : 0), 0600);
  if (image < 0 || target < 0) return 2;
  struct ext2_qcow2_hdr* header = qcow2_read_header(image);
  if (header == NULL) {
    puts("no header");
    return 1;
  }
  const int result = qcow2_write_raw_image(image, target, header);
  printf("version %u, %d\n", ext2fs_be32_to_cpu(header->version), result);
  free(header);
  close(image);
  return close(target) != 0 || result != 0;
}
