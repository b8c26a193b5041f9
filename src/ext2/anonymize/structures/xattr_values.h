// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>

#include "ext2/anonymize/replacement/secret.h"
#include "ext2/anonymize/replacement/strict_rules.h"

namespace e2qcow::ext2 {

// Whether the value has entries of an ACL, ids and permissions, and nothing else.
bool is_acl(std::span<const std::byte> value);
void replace_owners(std::span<std::byte> acl, const StrictRules& strict);

// Version, modes and flags of the context stay; what identifies the key is replaced, so that equal ones stay
// equal with the same secret. What is no context is cleared.
void replace_encryption_context(std::span<std::byte> value, const Secret& secret);

}  // namespace e2qcow::ext2
